"""Metrics as `mf query` answers them, against SQL on the marts."""

import csv
import hashlib
import json
import re
import shlex
import shutil

import duckdb
import pytest

from tests.integration.conftest import ROOT
from tests.waiting import LONGEST

PAGE = (ROOT / "docs" / "semantic-layer.md").read_text()
ASKED = re.search(r"```\nexport DBT_TARGET=(\w+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def ask(tmp_path):
    """Ask for metrics and return the answer: groups to values, all as numbers or text."""

    def ask(project, *arguments):
        answer = tmp_path / "answer.csv"
        result = project.run("mf", "query", *arguments, "--quiet", "--csv", answer)
        assert result.returncode == 0, result.stdout + result.stderr
        with answer.open(newline="") as file:
            return [[number_or_text(value) for value in row] for row in list(csv.reader(file))[1:]]

    return ask


def number_or_text(value):
    try:
        return float(value)
    except ValueError:
        return value


def by_group(rows, groups):
    return {tuple(row[:groups]): pytest.approx(list(row[groups:]), abs=1e-9) for row in rows}


def same(answer, expected, groups):
    """Whether two sets of rows agree, whatever their order."""
    return {tuple(row[:groups]): list(row[groups:]) for row in answer} == by_group(expected, groups)


def test_every_definition_is_valid_on_the_data(mall):
    result = mall.run("mf", "validate-configs")
    assert result.returncode == 0, result.stdout + result.stderr
    verdicts = re.findall(r"ERRORS: (\d+), FUTURE_ERRORS: (\d+), WARNINGS: (\d+)", result.stdout)
    # The semantics, then models, dimensions, entities, measures and metrics on the data.
    assert verdicts == [("0", "0", "0")] * 6


def test_the_overview_is_the_profiles(mall, ask):
    expected = mall.query(
        "select segment_key, profiles.segment_name, value_tier, profiles.customers, age_mean,"
        " annual_income_k_usd_mean, spending_score_mean, mean_assignment_probability,"
        " customer_share, female_share"
        " from marts.segment_profiles as profiles"
        " inner join marts.segment_trust as trust using (segment_key)"
    )
    assert same(ask(mall, "--saved-query", "segment_overview"), expected, 3)


def test_shares_are_of_all_customers_in_total_by_gender_and_under_a_filter(mall, ask):
    metrics = ("--metrics", "customers,customer_share,high_value_share")
    high = "value_tier = 'high'"
    figures = f"count(*), count(*) / 200, count(*) filter ({high}) / count(*)"
    total = mall.query(f"select {figures} from marts.customer_segments")
    assert same(ask(mall, *metrics), total, 0)
    assert total[0][1] == 1
    groups = mall.query(f"select gender, {figures} from marts.customer_segments group by gender")
    answer = ask(mall, *metrics, "--group-by", "customer__gender")
    assert same(answer, groups, 1)
    assert sum(row[2] for row in answer) == pytest.approx(1)
    filtered = mall.query(
        f"select gender, {figures} from marts.customer_segments where {high} group by gender"
    )
    where = "{{ Dimension('segment__value_tier') }} = 'high'"
    answer = ask(mall, *metrics, "--group-by", "customer__gender", "--where", where)
    assert same(answer, filtered, 1)
    assert sum(row[2] for row in answer) == pytest.approx(39 / 200)


@pytest.fixture
def with_history(mall, project):
    """The mall with a build of the month before, in which S1 was smaller and S5 not there yet."""
    shutil.copy(mall.database, project.database)
    shutil.copytree(mall.folder / "target", project.folder / "target", dirs_exist_ok=True)
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(
            "insert into marts.segment_history select * replace ("
            " 'before' as build_id, segmented_at - interval 1 month as segmented_at,"
            " if(segment_key = 'S1', 61, customers) as customers)"
            " from marts.segment_history where segment_key <> 'S5'"
        )
    return project


def test_builds_are_averaged_and_not_added_up(with_history, ask):
    arguments = ("--metrics", "mean_customers_per_build", "--group-by")
    assert sorted(ask(with_history, *arguments, "segment")) == [
        ["S1", 71.0],
        ["S2", 39.0],
        ["S3", 35.0],
        ["S4", 23.0],
        ["S5", 22.0],
    ]
    sizes = [size for _, size in sorted(ask(with_history, *arguments, "metric_time__month"))]
    assert sizes == [61 + 39 + 35 + 23, 200]


def test_the_time_spine_goes_from_the_first_build_to_the_last(with_history):
    result = with_history.dbt("run", "--select", "days")
    assert result.returncode == 0, result.stdout
    ((first, last, days, missing),) = with_history.query(
        "select min(day_date), max(day_date), count(*),"
        " date_diff('day', min(day_date), max(day_date)) + 1 - count(distinct day_date)"
        " from marts.days"
    )
    assert [(first, last)] == with_history.query(
        "select min(segmented_at)::date, max(segmented_at)::date from marts.segment_history"
    )
    assert days >= 29
    assert missing == 0


def test_the_questions_of_the_page_are_answered_from_the_published_file(first_build, monkeypatch):
    target, commands = ASKED.groups()
    monkeypatch.setenv("DBT_TARGET", target)
    before = hashlib.sha256(first_build.published.read_bytes()).hexdigest()
    answers = []
    # A reader has the file open meanwhile.
    with duckdb.connect(str(first_build.published), read_only=True):
        for command in commands.splitlines():
            name, *arguments = shlex.split(command)
            with first_build.start(name, *arguments, environment=("DBT_TARGET",)) as process:
                out, err = process.communicate(timeout=LONGEST)
            assert process.returncode == 0, out + err
            answers.append(out)
    listed, overview, by_gender, high, _, sql = answers
    defined = {metric["name"] for metric in manifest(first_build)["metrics"].values()}
    assert set(re.findall(r"^• (\w+):", listed, re.MULTILINE)) == defined
    assert re.search(r"S2 +High income, high spenders +high +39 ", overview)
    assert re.search(r"Female +112 +0\.56 +0\.1875", by_gender)
    assert re.search(r"\b0\.195\b", high)
    assert "AVG(" in sql
    assert len((first_build.folder / "sizes.csv").read_text().splitlines()) == 1 + 5
    assert hashlib.sha256(first_build.published.read_bytes()).hexdigest() == before


def manifest(project):
    return json.loads((project.folder / "target" / "manifest.json").read_text())


def test_the_page_names_every_metric_dimension_and_saved_query(mall):
    described = manifest(mall)
    names = [metric["name"] for metric in described["metrics"].values()]
    names += [query["name"] for query in described["saved_queries"].values()]
    for model in described["semantic_models"].values():
        primary = [entity["name"] for entity in model["entities"] if entity["type"] == "primary"]
        (entity,) = primary or [model["primary_entity"]]
        names += [
            f"{entity}__{dimension['name']}"
            for dimension in model["dimensions"]
            if dimension["type"] == "categorical"
        ]
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_the_definitions_parse_without_a_warning_and_without_metricflow(mall, tmp_path):
    code = (
        "import sys; sys.modules['metricflow'] = None; "
        "from dbt.cli.main import dbtRunner; "
        "done = dbtRunner().invoke(['--warn-error', 'parse', '--show-all-deprecations', "
        f"'--no-partial-parse', '--target-path', {str(tmp_path / 'target')!r}]); "
        "sys.exit(not done.success)"
    )
    result = mall.run("python", "-c", code)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "deprecat" not in result.stdout.lower()


def test_exposures_name_an_owner_a_purpose_and_every_mart_that_is_read(mall):
    described = manifest(mall)
    marts = {
        unique_id: node["name"]
        for unique_id, node in described["nodes"].items()
        if node["resource_type"] == "model" and node["schema"] == "marts"
    }
    read = {}
    for exposure in described["exposures"].values():
        assert exposure["owner"]["name"], exposure["name"]
        assert exposure["owner"]["email"], exposure["name"]
        assert exposure["description"].startswith("For "), exposure["name"]
        named = {marts[unique_id] for unique_id in exposure["depends_on"]["nodes"]}
        read[exposure["name"]] = named
        found = set()
        for file in code_of(exposure):
            mentioned = set(re.findall(r"\b(?:from|join) (?:marts\.)?(\w+)", file.read_text()))
            found |= mentioned & set(marts.values())
        assert not exposure["config"]["meta"].get("code") or found == named, exposure["name"]
    # The time spine serves the metrics.
    assert read["bi_dashboard"] == set(marts.values()) - {"days"}


def code_of(exposure):
    for path in exposure["config"]["meta"].get("code", []):
        yield from (ROOT / path).rglob("*.py")
