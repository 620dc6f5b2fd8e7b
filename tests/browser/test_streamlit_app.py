"""The example app in a browser: its figures are those of the marts, and it reaches nobody."""

import csv
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

import duckdb
import pyarrow as pa
import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from tests.browser.conftest import keep_screenshot, violations
from tests.integration.conftest import ROOT
from tests.waiting import LONGEST, until

APP = ROOT / "examples" / "streamlit_app.py"
# As in the app.
MOST_POINTS, GRID = 5_000, 40


class Mall:
    """A published file of the test's own."""

    def __init__(self, published, folder):
        self.published = folder / "mall_segments.duckdb"
        shutil.copy(published, self.published)

    def rows(self, sql):
        with duckdb.connect(str(self.published), read_only=True) as connection:
            return connection.sql(sql).fetchall()

    def publish(self, *statements):
        """Replace the file as a build does, by one with other figures."""
        following = self.published.with_suffix(".next")
        shutil.copy(self.published, following)
        with duckdb.connect(str(following)) as connection:
            for statement in statements:
                connection.execute(statement)
        following.replace(self.published)

    def figures(self, condition="true"):
        """The key figures of some customers, as the app writes them."""
        ((customers, share, *means),) = self.rows(
            "select count(*), count(*) / (select count(*) from marts.customer_segments),"
            " avg(annual_income_k_usd), avg(spending_score), avg(age)"
            f" from marts.customer_segments where {condition}"
        )
        return [f"{customers:,}", f"{share:.1%}", *(f"{mean:.1f}" for mean in means)]


@contextmanager
def served(published, log):
    """The address of the app, which runs on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "streamlit", "run", APP, "--server.port", host.split(":")[1]]
    environment = os.environ | {"MALL_SEGMENTS_PUBLISHED": str(published)}
    with (
        log.open("w") as output,
        subprocess.Popen(command, env=environment, stdout=output, stderr=output) as process,
    ):
        try:
            wait_for(f"http://{host}/_stcore/health", process, log)
            yield host
        finally:
            process.terminate()


def wait_for(url, process, log):
    def answers():
        assert process.poll() is None, f"The app does not answer: {log.read_text()}"
        try:
            return urllib.request.urlopen(url, timeout=LONGEST).close() is None
        except (urllib.error.URLError, ConnectionError):
            return False

    until(answers)


@pytest.fixture(scope="module")
def mall(first_build, tmp_path_factory):
    return Mall(first_build.published, tmp_path_factory.mktemp("app"))


@pytest.fixture(scope="module")
def host(mall):
    with served(mall.published, mall.published.with_suffix(".log")) as host:
        yield host


@pytest.fixture
def own_mall(first_build, tmp_path, monkeypatch):
    """A published file that the test may change, which an app in this process reads."""
    mall = Mall(first_build.published, tmp_path)
    monkeypatch.setenv("MALL_SEGMENTS_PUBLISHED", str(mall.published))
    return mall


@pytest.fixture
def visit_app(visit):
    def open_page(host, **options):
        page = visit(f"http://{host}/", offline=False, allowed=[host], **options)
        expect(download_button(page)).to_be_visible()
        return page

    return open_page


def download_button(page):
    return page.get_by_role("button", name=re.compile("Download [0-9,]+ customers"))


def expect_figures(page, figures):
    expect(page.get_by_test_id("stMetricValue")).to_have_text(figures)


def run_app():
    return AppTest.from_file(APP, default_timeout=LONGEST).run()


def test_figures_names_and_actions_are_those_of_the_marts(visit_app, host, mall):
    page = visit_app(host)
    expect_figures(page, mall.figures())
    main = page.get_by_test_id("stMain")
    for key, name, action, customers, share in mall.rows(
        "select segment_key, segment_name, recommended_action, customers, customer_share"
        " from marts.segment_profiles"
    ):
        expect(main.locator("strong").get_by_text(f"{key} {name}", exact=True)).to_be_visible()
        expect(main.get_by_text(action, exact=True)).to_be_visible()
        expect(main.get_by_text(f"{customers:,} customers, {share:.1%}")).to_be_visible()
    ((build, reason),) = mall.rows(
        "select build_id[:8], selection_reason from marts.segmentation_quality"
        " join marts.k_selection using (feature_set) where is_selected"
    )
    expect(main.get_by_text(f"build {build}")).to_be_visible()
    expect(main.get_by_text(reason[:60])).to_be_visible()


def test_charts_show_the_marts(visit_app, host, mall):
    page = visit_app(host)
    places, traits, criterion = page.get_by_test_id("stVegaLiteChart").all()
    ((count,),) = mall.rows(
        "select count(distinct (annual_income_k_usd, spending_score, segment_key))"
        " from marts.customer_segments"
    )
    points = places.locator(".mark-symbol.role-mark path")
    expect(points).to_have_count(count)
    expect(traits.locator(".mark-text.role-mark text")).to_have_text(
        [
            f"{mean:.1f}"
            for (mean,) in mall.rows(
                "select segment_mean from marts.segment_traits order by segment_key, feature"
            )
        ]
    )
    ((tried,),) = mall.rows(
        "select count(*) from marts.k_selection where not isnan(silhouette) and feature_set ="
        " (select feature_set from marts.segmentation_quality)"
    )
    ring = 1
    expect(criterion.locator(".mark-symbol.role-mark path")).to_have_count(tried + ring)

    points.first.hover()
    told = page.locator("#vg-tooltip-element")
    expect(told).to_contain_text("spenders")
    expect(told).to_contain_text("for_example")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(visit_app, host, scheme):
    page = visit_app(host, color_scheme=scheme, width=1400, height=2600)
    expect(page.locator(".mark-symbol.role-mark path").first).to_be_visible()
    keep_screenshot(page, f"streamlit-app-{scheme}")
    assert violations(page) == []


def test_filters_narrow_the_figures_and_the_download(visit_app, host, mall):
    page = visit_app(host)
    (_, (key, name)) = mall.rows(
        "select segment_key, segment_name from marts.segment_profiles order by segment_key limit 2"
    )
    page.get_by_role("button", name=f"{key} {name}").click()
    expect_figures(page, mall.figures(f"segment_key = '{key}'"))
    page.get_by_role("button", name="Female").click()
    women = f"segment_key = '{key}' and gender = 'Female'"
    expect_figures(page, mall.figures(women))

    ((count,),) = mall.rows(f"select count(*) from marts.customer_segments where {women}")
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {count} customers").click()
    with download.value.path().open(newline="") as file:
        rows = [(int(row["customer_id"]), row["segment_name"]) for row in csv.DictReader(file)]
    assert sorted(rows) == mall.rows(
        "select customer_id, segment_name from marts.customer_segments"
        f" where {women} order by customer_id"
    )

    ((other_tier,),) = mall.rows(
        "select value_tier from marts.segment_profiles where value_tier not in"
        f" (select value_tier from marts.segment_profiles where segment_key = '{key}') limit 1"
    )
    page.get_by_role("button", name=other_tier, exact=True).click()
    expect(page.get_by_text("No customer is all that")).to_be_visible()


def test_a_customer_is_found_with_segment_certainty_and_reasons(visit_app, host, mall):
    page = visit_app(host)
    number = page.get_by_label("Customer number")
    number.fill("42")
    number.press("Enter")
    ((name, margin),) = mall.rows(
        "select segment_key || ' ' || segment_name, assignment_margin"
        " from marts.customer_segments where customer_id = 42"
    )
    said = page.get_by_text("of refits to resampled customers agree")
    expect(said).to_contain_text(name)
    expect(said).to_contain_text(f"margin {margin:.2f}")
    reasons = mall.rows(
        "select description from marts.assignment_reasons where customer_id = 42"
        " order by contribution desc"
    )
    expect(page.get_by_role("listitem").filter(has_text="speaks for")).to_have_text(
        [reason for (reason,) in reasons]
    )
    number.fill("4711")
    number.press("Enter")
    expect(page.get_by_text("No customer 4711 is in a segment.")).to_be_visible()


# The app outlives the pages, which would complain of its end.
@pytest.fixture
def own_host(own_mall, tmp_path):
    with served(own_mall.published, tmp_path / "app.log") as host:
        yield host


def test_the_next_publication_shows_up_at_the_next_run(own_mall, own_host, visit_app):
    page, other = visit_app(own_host), visit_app(own_host)
    before = own_mall.figures()
    own_mall.publish(
        "delete from marts.customer_segments where customer_id > 150",
        "update marts.segmentation_quality set customers = 150",
    )
    assert own_mall.figures() != before
    expect_figures(page, before)
    page.get_by_label("Customer number").fill("7")
    page.get_by_label("Customer number").press("Enter")
    expect_figures(page, own_mall.figures())
    other.reload()
    expect_figures(other, own_mall.figures())


def test_no_published_file_names_the_command(own_mall):
    own_mall.published.unlink()
    app = run_app()
    assert not app.exception
    assert "mall-segments build" in app.error[0].value
    assert not own_mall.published.exists()


def test_no_customers_are_said(own_mall):
    own_mall.publish("delete from marts.customer_segments", "delete from marts.segment_profiles")
    app = run_app()
    assert not app.exception
    assert "no customers" in app.info[0].value


def test_a_customer_without_runner_up_or_reasons(own_mall):
    own_mall.publish(
        "update marts.customer_segments set runner_up_segment_key = null, assignment_margin = null,"
        " assignment_probability = null, is_out_of_domain = true",
        "delete from marts.assignment_reasons",
    )
    app = run_app().number_input[0].set_value(42).run()
    assert not app.exception
    said = [text.value for text in app.markdown][-2:]
    assert said[0].endswith("**: unlike all that the segments were made from.")
    assert said[1] == "No reasons are kept for so many customers."


@pytest.mark.parametrize(("copies", "is_grid"), [(24, False), (25, True)])
def test_many_customers_are_counted_by_the_database(own_mall, copies, is_grid):
    own_mall.publish(
        "insert into marts.customer_segments by name select * exclude (copy)"
        " replace (customer_id + 1000 * copy as customer_id,"
        " annual_income_k_usd + copy / 100 as annual_income_k_usd)"
        f" from marts.customer_segments, range(1, {copies + 1}) as copies(copy)"
    )
    app = run_app()
    assert not app.exception
    everybody = 200 * (1 + copies)
    assert (everybody > MOST_POINTS) == is_grid
    assert app.metric[0].value == f"{everybody:,}"
    drawn = max(
        (
            pa.ipc.open_stream(dataset.data.data).read_all()
            for dataset in app.get("vega_lite_chart")[0].proto.datasets
        ),
        key=len,
    ).to_pandas()
    assert drawn.customers.sum() == everybody
    assert len(app.dataframe[0].value) == 100
    if is_grid:
        assert drawn.x.nunique() <= GRID + 1
        assert drawn.y.nunique() <= GRID + 1
    else:
        assert drawn.x.nunique() > 10 * GRID
