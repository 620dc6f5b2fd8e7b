import re

import pytest

from mall_segments import project_sql
from mall_segments.errors import MallSegmentsError
from mall_segments.intake.dialect import WHITE_SPACE
from mall_segments.project_sql import ProjectNotFoundError, find_project, render_model


def test_the_project_is_found_from_below_and_from_elsewhere(monkeypatch, tmp_path):
    root = find_project()
    monkeypatch.chdir(root / "tests" / "unit")
    assert find_project() == root
    monkeypatch.chdir(tmp_path)
    assert find_project() == root


def test_without_a_project_the_error_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(project_sql, "PROJECT_FILE", "no_such_project.yml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProjectNotFoundError, match="Work in a clone of the project"):
        find_project()


def test_a_model_is_rendered_with_its_relations_variables_and_macros():
    sql = render_model("stg_customers_parsed", {"raw_customers": "some_rows"}, {"gender_map": {}})
    assert "from some_rows" in sql
    assert "regexp_full_match(age_text" in sql
    assert "{" not in sql


def test_sql_trims_what_python_strips():
    sql = render_model("stg_customers_parsed", {"raw_customers": "x"}, {"gender_map": {}})
    trimmed = {chr(int(code)) for code in re.findall(r"chr\((\d+)\)", sql)}
    assert trimmed == set(WHITE_SPACE)


def test_a_variable_that_means_nothing_is_refused_as_in_dbt():
    with pytest.raises(MallSegmentsError, match="gender_map: 1 maps to Woman"):
        render_model("stg_customers_parsed", {"raw_customers": "x"}, {"gender_map": {"1": "Woman"}})
