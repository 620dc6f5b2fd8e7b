"""The report, opened from disk with the network off in a real Chromium."""

import csv
import json
import math
import random
import re
import shutil

import duckdb
import pytest

from mall_segments.report.contents import MAPPED_CUSTOMERS
from mall_segments.report.page import SECTIONS
from tests.browser.conftest import keep_screenshot, violations
from tests.integration.conftest import Project

MAX_BYTES = 3_000_000
# Charts that every report has; others need history, refused rows or an algorithm.
CHARTS = {
    "map",
    "profiles",
    "spread_age",
    "spread_annual_income_k_usd",
    "spread_spending_score",
    "stability",
    "certainty",
    "silhouettes",
    "elbow",
    "silhouette_by_k",
    "stability_by_k",
    "gap_by_k",
    "distribution_age",
    "distribution_annual_income_k_usd",
    "distribution_spending_score",
    "gender_age",
    "gender_annual_income_k_usd",
    "gender_spending_score",
    "age_bands",
    "genders",
    "correlation_pearson",
    "correlation_spearman",
    "missing",
    "agreement",
    "tree",
}
HEADER = ["CustomerID", "Gender", "Age", "Annual Income (k$)", "Spending Score (1-100)"]


class Reported:
    """A project with a published build, and the report of it."""

    def __init__(self, project, page, database=None):
        self.project = project
        self.page = page
        self.database = database or project.published
        result = project.run("mall-segments", "report", "--database", self.database, "--to", page)
        assert result.returncode == 0, result.stderr

    def query(self, sql):
        """Rows of the published file, by name."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            relation = connection.sql(sql)
            names = relation.columns
            return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


def write_customers(path, customers, centres, seed, spoil=()):
    """Write normal clusters of whole numbers around some centres, with some spoilt rows."""
    chance = random.Random(seed)
    spread = (8, 6, 6)
    bounds = ((18, 90), (5, 250), (1, 100))
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        for number in range(customers):
            centre = centres[number % len(centres)]
            drawn = (chance.gauss(*pair) for pair in zip(centre, spread, strict=True))
            values = [
                min(max(round(value), low), high)
                for value, (low, high) in zip(drawn, bounds, strict=True)
            ]
            if spoil and number % 50 == 0:
                values[number // 50 % 3] = spoil[number // 50 % len(spoil)]
            rows.writerow([number + 1, ("Female", "Male")[number % 2], *values])


@pytest.fixture(scope="module")
def mall_report(first_build, tmp_path_factory):
    return Reported(first_build, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def second_build(first_build, tmp_path_factory):
    """The mall a month later: some moved, some joined, some left."""
    folder = tmp_path_factory.mktemp("second") / "project"
    shutil.copytree(first_build.folder, folder)
    project = Project.at(folder)
    with project.seed.open(newline="") as file:
        header, *rows = csv.reader(file)
    for row in rows[:6]:
        row[4] = str(101 - int(row[4]))
    rows = [*rows[:-3], ["901", "Female", "30", "60", "50"], ["902", "Male", "31", "61", "51"]]
    with project.seed.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    result = project.run("mall-segments", "build", "--update-baseline")
    assert result.returncode == 0, result.stderr
    return Reported(project, project.folder / "report.html")


@pytest.fixture(scope="module")
def large_build(tmp_path_factory):
    """20,000 customers in ten segments, and rows to refuse."""
    project = Project(tmp_path_factory.mktemp("large"))
    centres = [
        (25 + 5 * n, income, score)
        for n, (income, score) in enumerate(
            (i, s) for i in (20, 60, 100, 140, 180) for s in (20, 80)
        )
    ]
    file = project.folder / "customers.csv"
    write_customers(file, 20_000, centres, seed=1, spoil=("", "n/a", "-5", "many"))
    features = ["annual_income_k_usd", "spending_score"]
    return built(project, file, k=10, feature_set=features, compared_customers=1000)


@pytest.fixture(scope="module")
def small_build(tmp_path_factory):
    """50 customers in two segments by another pair of features, which is the only one."""
    project = Project(tmp_path_factory.mktemp("small"))
    file = project.folder / "customers.csv"
    write_customers(file, 50, [(25, 50, 80), (60, 50, 20)], seed=2)
    return built(
        project, file, k=2, feature_set=["age", "spending_score"], compare_algorithms=False
    )


def built(project, file, *, k, feature_set, **variables):
    options = {
        "k": k,
        "segmentation_features": feature_set,
        "compared_feature_sets": [feature_set],
        **variables,
    }
    project.build(customers_path=str(file), **options)
    return Reported(project, project.folder / "report.html", project.database)


def opened(visit, report, **options):
    page = visit(report.page, **options)
    page.wait_for_function("document.documentElement.dataset.drawn === 'true'")
    return page


def embedded(page):
    return json.loads(page.locator("#report-data").text_content())


def drawn_charts(page):
    """Names of the charts that hold at least one mark of data."""
    return set(
        page.evaluate(
            """() => [...document.querySelectorAll("figure[data-drawn=true]")]
                .filter((figure) => figure.querySelector(
                    ".mark-symbol path, .mark-rect path, .mark-rule line, .mark-line path"
                ))
                .map((figure) => figure.dataset.chart)"""
        )
    )


def same(shown, stored):
    """Whether a value of the page is that of the mart."""
    if isinstance(stored, float):
        return shown is None if not math.isfinite(stored) else shown == stored
    if hasattr(stored, "isoformat"):
        return shown == stored.isoformat(sep=" ", timespec="seconds")
    return shown == stored


def test_every_section_and_chart_is_drawn(visit, mall_report):
    page = opened(visit, mall_report)
    headings = page.locator("section > h2").all_text_contents()
    assert headings == [title for _, title, _ in SECTIONS]
    maps = {"map_age_annual_income_k_usd", "map_age_spending_score"}
    assert drawn_charts(page) == CHARTS | maps
    assert visit.records[page].warnings == []
    assert mall_report.page.stat().st_size < MAX_BYTES
    keep_screenshot(page, "report-light")


def test_every_figure_is_that_of_the_marts(visit, mall_report):
    data = embedded(opened(visit, mall_report))
    whole = {
        "quality": "segmentation_quality",
        "profiles": "segment_profiles",
        "traits": "segment_traits",
        "trust": "segment_trust",
        "k_selection": "k_selection",
        "distributions": "feature_distributions",
        "summaries": "feature_summaries",
        "correlations": "feature_correlations",
        "missingness": "feature_missingness",
        "outliers": "outliers",
        "age_bands": "age_bands",
        "algorithms": "algorithm_comparison",
        "cluster_tree": "cluster_tree",
        "data_quality": "data_quality_summary",
        "drift": "segment_drift",
        "history": "segment_history",
        "builds": "builds",
        "model_runs": "model_runs",
        "rules": "segment_rules",
    }
    for dataset, mart in whole.items():
        stored = mall_report.query(f"from marts.{mart}")
        assert stored, mart
        order = [name for name, value in stored[0].items() if isinstance(value, str | int)]
        key = lambda row, order=order: [str(row[name]) for name in order]  # noqa: E731
        shown = sorted(data[dataset], key=key)
        assert len(shown) == len(stored), mart
        for seen, row in zip(shown, sorted(stored, key=key), strict=True):
            assert seen.keys() == row.keys()
            wrong = [name for name in row if not same(seen[name], row[name])]
            assert not wrong, (mart, wrong, seen, row)
    customers = mall_report.query(
        "select customer_id, segment_key, age from marts.customer_segments"
    )
    shown = {row["customer_id"]: row for row in data["customers"]}
    assert len(shown) == len(customers) == 200
    for row in customers:
        assert row.items() <= shown[row["customer_id"]].items()
    silhouettes = mall_report.query("from marts.customer_silhouettes")
    assert sorted(row["silhouette"] for row in data["silhouettes"]) == sorted(
        row["silhouette"] for row in silhouettes
    )


def test_the_cards_say_what_the_profiles_say(visit, mall_report):
    page = opened(visit, mall_report)
    for row in mall_report.query("from marts.segment_profiles"):
        card = page.locator(f"#segment-{row['segment_key']}").inner_text()
        assert row["segment_name"] in card
        assert row["recommended_action"] in card
        assert f"{row['customer_share']:.1%} of all, {row['customers']} customers" in card
        for feature, unit in (("age", ""), ("annual_income_k_usd", " k$"), ("spending_score", "")):
            assert f"{row[feature + '_mean']:.1f}{unit}" in card
            assert f"index {row[feature + '_index']:.0f}" in card
    assert page.locator("h1").inner_text() == (
        "200 customers in 5 segments by annual income and spending score"
    )


def test_hovering_a_customer_shows_who_it_is(visit, mall_report):
    page = opened(visit, mall_report)
    # Customer 199 stands alone, with the highest income and a low score.
    place = page.evaluate(
        """() => {
            const figure = document.querySelector("#figure-map");
            figure.scrollIntoView({block: "center"});
            const marks = [...figure.querySelectorAll("svg .mark-symbol path")];
            const mark = marks.find((path) => path.__data__.datum?.customer_id === 199);
            const box = mark.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }"""
    )
    page.mouse.move(*place)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    (customer,) = mall_report.query("from marts.customer_segments where customer_id = 199")
    words = tooltip.inner_text().split("\n")
    words = [word.strip() for word in words if word.strip()]
    said = dict(zip(words[::2], words[1::2], strict=True))
    assert said["Customer"] == "199"
    assert said["Segment"] == customer["segment_key"]
    assert float(said["Income (k$)"]) == customer["annual_income_k_usd"]
    assert float(said["Score"]) == customer["spending_score"]


def test_a_click_in_the_legend_shows_one_segment_alone(visit, mall_report):
    page = opened(visit, mall_report)
    faded = """() => [...document.querySelectorAll("#figure-map svg .mark-symbol path")]
        .filter((path) => path.__data__.datum?.customer_id && +path.getAttribute("opacity") < 0.2)
        .map((path) => path.__data__.datum.segment_key)"""
    assert page.evaluate(faded) == []
    page.locator("#figure-map svg .role-legend-symbol path").first.click(force=True)
    page.wait_for_function(f"({faded})().length > 0")
    assert set(page.evaluate(faded)) == {"S2", "S3", "S4", "S5"}


def test_the_theme_switches_page_and_charts_by_keyboard(visit, mall_report):
    page = opened(visit, mall_report)
    look = """() => [
        getComputedStyle(document.body).backgroundColor,
        getComputedStyle(document.querySelector("#figure-age_bands .mark-rect path")).fill,
        document.querySelector("#theme").getAttribute("aria-pressed"),
    ]"""
    light = page.evaluate(look)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.locator("#theme").focus()
    page.keyboard.press("Enter")
    dark = page.evaluate(look)
    assert all(before != after for before, after in zip(light, dark, strict=True))
    keep_screenshot(page, "report-dark")
    page.keyboard.press("Enter")
    assert page.evaluate(look) == light


def test_a_reader_in_the_dark_begins_in_the_dark(visit, mall_report):
    page = opened(visit, mall_report, color_scheme="dark")
    assert page.locator("#theme").get_attribute("aria-pressed") == "true"
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_nobody_is_shut_out(visit, mall_report, color_scheme):
    page = opened(visit, mall_report, color_scheme=color_scheme)
    page.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")
    assert violations(page) == []
    unnamed = page.locator("figure .drawing:not([role=img][aria-label])")
    assert unnamed.count() == 0
    assert page.locator("figure details table").count() == page.locator("figure").count()


def test_it_prints_whole_and_reads_on_a_telephone(visit, mall_report):
    page = opened(visit, mall_report, width=390, height=800)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep_screenshot(page, "report-telephone")
    pdf = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 5


def test_what_changed_is_shown_when_there_is_history(visit, second_build):
    page = opened(visit, second_build)
    moves = second_build.query(
        "select * from marts.segment_migrations order by segmented_at desc, customers desc",
    )
    moved = sum(
        row["customers"]
        for row in moves
        if row["from_segment_key"]
        and row["to_segment_key"]
        and row["from_segment_key"] != row["to_segment_key"]
    )
    assert moved > 0
    assert (
        f"{moved} moved to another, 2 joined and 3 left." in page.locator("#changes").inner_text()
    )
    assert {"history", "migrations"} <= drawn_charts(page)
    assert len({row["build_id"] for row in embedded(page)["history"]}) == 2
    assert violations(page) == []


def test_ten_segments_of_many_customers_stay_readable(visit, large_build):
    page = opened(visit, large_build)
    data = embedded(page)
    assert large_build.page.stat().st_size < MAX_BYTES
    assert page.locator(".card").count() == 10
    assert len(data["customers"]) == MAPPED_CUSTOMERS
    note = f"A sample of {MAPPED_CUSTOMERS:,} of {data['quality'][0]['customers']:,} customers"
    assert note in page.locator("#figure-map").inner_text()
    assert drawn_charts(page) >= CHARTS | {"refusals"}
    rejected = next(row for row in data["data_quality"] if row["rule"] == "rejected_rows")
    assert rejected["rows_failed"] > 0
    assert f"{rejected['rows_failed']:,} were refused" in page.locator("#source").inner_text()
    # The sample is of all segments, in about their shares.
    shown = [row["segment_key"] for row in data["customers"]]
    for row in data["profiles"]:
        share = shown.count(row["segment_key"]) / len(shown)
        assert share == pytest.approx(row["customer_share"], abs=0.03)
    assert violations(page) == []
    keep_screenshot(page, "report-large")


def test_two_segments_of_few_customers_by_one_pair_of_features(visit, small_build):
    page = opened(visit, small_build)
    assert page.locator("h1").inner_text() == "50 customers in 2 segments by age and spending score"
    assert page.locator("#figure-map h3").inner_text() == "Customers by age and spending score"
    assert drawn_charts(page) >= CHARTS - {"agreement", "tree"}
    assert page.locator("#figure-agreement, #figure-tree").count() == 0
    assert "compare_algorithms is off" in page.locator("#algorithms").inner_text()
    assert {row["feature_set"] for row in embedded(page)["k_selection"]} == {"age, spending_score"}
    assert violations(page) == []


def test_pictures_are_written_for_slides(mall_report, tmp_path):
    result = mall_report.project.run("mall-segments", "report", "--pictures", tmp_path)
    assert result.returncode == 0, result.stderr
    names = {path.stem for path in tmp_path.glob("*.svg")}
    assert names >= CHARTS
    assert {path.stem for path in tmp_path.glob("*.png")} == names
    for path in tmp_path.glob("*.svg"):
        text = path.read_text()
        assert "var(--" not in text
        assert text.count("<path") + text.count("<line") > 5, path.name
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.glob("*.png"))


def test_a_report_without_a_build_says_what_to_do(tmp_path, mall_report):
    nothing = tmp_path / "nothing.duckdb"
    result = mall_report.project.run("mall-segments", "report", "--database", nothing)
    assert result.returncode == 2
    assert "NOT_BUILT" in result.stderr
    assert "mall-segments build" in result.stderr
