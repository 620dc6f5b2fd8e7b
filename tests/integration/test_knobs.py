"""Variables, modes of dbt, and what must not change the result."""

import random

import pytest

from tests.integration.conftest import HISTORY_MARTS, SERVING_MARTS
from tests.waiting import LONGEST

TRIPLE = ["age", "annual_income_k_usd", "spending_score"]


def test_six_segments_by_three_features(project):
    project.tested_build(k=6, segmentation_features=TRIPLE)
    sizes = project.query("select customers from marts.segment_profiles order by customers desc")
    assert [size for (size,) in sizes] == [45, 39, 38, 33, 24, 21]
    ((wcss, reason),) = project.query(
        "select wcss, selection_reason from marts.k_selection where is_selected"
    )
    assert wcss == pytest.approx(133.868334, abs=5e-7)
    assert reason.startswith("k = 6 was set by the variable k; the rule would choose 6.")
    names = project.query("select segment_name from marts.segment_profiles order by segment_key")
    assert names == [
        ("Middle income, steady spenders, age about 56",),
        ("High income, high spenders",),
        ("Middle income, steady spenders, age about 27",),
        ("High income, low spenders",),
        ("Low income, high spenders",),
        ("Low income, low spenders",),
    ]


@pytest.mark.parametrize(("fixture", "k"), [("one_segment", 1), ("ten_segments", 10)])
def test_any_k_has_named_segments_and_passes_its_tests(request, fixture, k):
    ((segments, names),) = request.getfixturevalue(fixture).query(
        "select count(*), count(distinct segment_name) from marts.segment_profiles"
    )
    assert (segments, names) == (k, k)


def test_seed_order_and_threads_change_no_byte_of_the_marts(mall, project, monkeypatch):
    header, *rows = project.seed.read_text().splitlines(keepends=True)
    random.Random(7).shuffle(rows)
    project.seed.write_text(header + "".join(rows))
    profiles = project.folder / "profiles.yml"
    one_thread = "config_options:\n        threads: 1"
    profiles.write_text(profiles.read_text().replace("config_options:", one_thread))
    assert one_thread in profiles.read_text()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    project.build("--threads", "1", random_state=12345)
    assert project.marts() == mall.marts()


def test_an_empty_run_builds_every_relation_without_rows(project):
    project.tested_build("--empty")
    marts = project.marts(names=SERVING_MARTS + HISTORY_MARTS)
    assert all(rows_checked == 0 for _, rows_checked, *_ in marts.pop("data_quality_summary"))
    assert set(map(len, marts.values())) == {0}


@pytest.mark.parametrize(
    ("model", "variables", "message"),
    [
        (
            "ml_segment_candidates",
            {"k": 0},
            "The variable k is 0, expected 'auto' or an integer from 1 to 50.",
        ),
        (
            "ml_segment_candidates",
            {"segmentation_features": ["wealth"]},
            "expected distinct features out of ['age',",
        ),
        (
            "int_segment_names",
            {"level_threshold": -1},
            "level_threshold is -1, expected a number of 0 or more",
        ),
    ],
)
def test_a_setting_that_means_nothing_is_named_without_a_traceback(
    built, model, variables, message
):
    result = built.dbt("run", "--select", model, **variables)
    assert result.returncode != 0
    assert message in result.stdout
    assert "Traceback" not in result.stdout


@pytest.mark.parametrize(
    ("command", "variables", "message"),
    [
        (
            "build",
            {"customer_path": "mine.csv"},
            "variable customer_path; did you mean customers_path?",
        ),
        (
            "parse",
            {"column_aliases": {"agee": ["Alter"]}},
            "field agee for column_aliases; did you mean age?",
        ),
        (
            "seed",
            {"gender_map": {"1": "Femal"}},
            "gender Femal for gender_map; did you mean Female?",
        ),
    ],
)
def test_dbt_refuses_a_name_that_there_is_not_before_it_writes_anything(
    project, command, variables, message
):
    result = project.dbt(command, **variables)
    assert result.returncode == 2
    assert f"INVALID_SETTING: There is no {message}" in result.stdout
    assert not project.database.exists()


def test_dbt_refuses_a_name_that_only_the_project_file_has(project):
    file = project.folder / "dbt_project.yml"
    file.write_text(file.read_text().replace("\nvars:\n", "\nvars:\n  customer_path: mine.csv\n"))
    result = project.dbt("parse")
    assert result.returncode == 2
    assert "There is no variable customer_path; did you mean customers_path?" in result.stdout


def test_dbt_takes_an_empty_environment_variable_for_none_and_names_a_wrong_one(
    project, monkeypatch
):
    for name in ("MALL_SEGMENTS_DATABASE", "MALL_SEGMENTS_MEMORY_LIMIT"):
        monkeypatch.setenv(name, "")
    names = ("MALL_SEGMENTS_DATABASE", "MALL_SEGMENTS_MEMORY_LIMIT")
    with project.start("dbt", "run", "-s", "int_build", environment=names) as process:
        said, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, said
    assert project.database.exists()
    monkeypatch.setenv("MALL_SEGMENTS_MEMORY_LIMIT", "abc")
    with project.start("dbt", "run", "-s", "int_build", environment=names) as process:
        said, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 2
    assert "MALL_SEGMENTS_MEMORY_LIMIT is 'abc', expected a size such as 4GB" in said
