import re

import pytest

from mall_segments import project_sql
from mall_segments.errors import UnknownNameError
from mall_segments.intake.dialect import WHITE_SPACE
from mall_segments.project_sql import (
    ProjectNotFoundError,
    find_project,
    project_variables,
    render_model,
    render_sql,
)


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


@pytest.fixture
def project(tmp_path):
    """Return a small project whose one macro reads k, with some text for its variables."""
    (tmp_path / "macros").mkdir()
    (tmp_path / "macros" / "one.sql").write_text(
        '{% macro one() %}{{ var( "k", 1) }}{% endmacro %}'
    )

    def project(variables):
        (tmp_path / "dbt_project.yml").write_text(
            f"name: own\nmacro-paths: [macros]\nvars: {variables}\n"
        )
        return tmp_path

    return project


def test_every_variable_of_the_project_is_read_and_may_be_given():
    variables = project_variables()
    assert variables["k"] == "auto"
    assert project_variables(variables | {"k": 6}) == variables | {"k": 6}


@pytest.mark.parametrize("name", ["customer_relation", "features", "K", "mall_segments", 7])
def test_a_variable_that_nothing_reads_is_refused(name):
    with pytest.raises(
        UnknownNameError, match=rf"There is no variable {name}\b.*customers_relation"
    ):
        project_variables({name: "crm.customers"})


def test_a_variable_is_known_by_who_reads_it(project):
    assert project_variables(project=project("{k: 6}")) == {"k": 6}
    assert project_variables(project=project("")) == {}
    assert project_variables({"k": 7}, project("{own: {k: 6}, k: 5}")) == {"k": 7}
    for variables in ("{kk: 6, k: 5}", "{own: {kk: 6}}", "{other: {k: 6}}"):
        with pytest.raises(UnknownNameError):
            project_variables(project=project(variables))


def test_variables_of_an_installed_package_are_left_alone(project):
    package = project("{other: {start: 1}, other_end: 2}") / "dbt_packages" / "other"
    package.mkdir(parents=True)
    (package / "end.sql").write_text("{{ var('other_end') }}")
    assert project_variables(project=package.parents[1]) == {"other_end": 2}


def test_a_model_is_rendered_with_its_relations_variables_and_macros():
    sql = render_model("stg_customers_parsed", {"raw_customers": "some_rows"}, {"gender_map": {}})
    assert "from some_rows" in sql
    assert "regexp_full_match(age_text" in sql
    assert "{" not in sql


@pytest.mark.parametrize(
    ("engine", "code_point", "base"),
    [("duckdb", r"chr\((\d+)\)", 10), ("spark", r"\\u([0-9a-f]{4})", 16)],
)
def test_sql_trims_what_python_strips(engine, code_point, base):
    sql = render_model("stg_customers_parsed", {"raw_customers": "x"}, {"gender_map": {}}, engine)
    trimmed = {chr(int(code, base)) for code in re.findall(code_point, sql)}
    assert trimmed == set(WHITE_SPACE)


def test_an_engine_without_a_variant_of_its_own_takes_the_default():
    text = "{{ computed_once() }}|{{ exact_sum('x') }}"
    exact_sum = "cast(sum(cast(x as decimal(38, 12))) as double)"
    assert render_sql(text, {}, {}).strip() == f"materialized|{exact_sum}"
    assert render_sql(text, {}, {}, "spark").strip() == f"|{exact_sum}"


@pytest.mark.parametrize(("engine", "literal"), [("duckdb", "'l''f'"), ("spark", r"'l\'f'")])
def test_a_quote_in_a_word_is_escaped_as_the_engine_reads_it(engine, literal):
    variables = {"gender_map": {"l'f": "Female"}}
    assert literal in render_model(
        "stg_customers_parsed", {"raw_customers": "x"}, variables, engine
    )


@pytest.mark.parametrize(
    "spelling",
    [
        r",(\s|\{%[^}]*%\})*\b(from|where|group by|having|order by|union)\b",
        r",\s*\)",
        r"::",
        r"\bvarchar\b",
        r"\b(arg_max|arg_min|exclude|list|qualify|quantile_cont|struct_pack|strpos|unnest)\b",
    ],
)
def test_no_model_has_a_spelling_that_spark_does_not_read(spelling):
    """What differs between engines is in macros/engine."""
    root = find_project()
    files = [
        path
        for folder in ("dbt_project", "tests/dbt", "analyses")
        for path in (root / folder).rglob("*.sql")
        if path.parent.name != "engine"
    ]
    assert len(files) > 60
    for path in files:
        text = re.sub(r"--[^\n]*|\{#.*?#\}", "", path.read_text(), flags=re.S)
        sql = re.sub(r"\{\{.*?\}\}|\{%-? (set|do) .*?%\}", "jinja", text, flags=re.S)
        found = re.search(spelling, sql, flags=re.S)
        assert not found, f"{path.relative_to(root)}: {found[0]}"
