"""A project built twice on one session, then by a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from dbt_runs import Run, build, dbt_process

pytestmark = pytest.mark.spark
PROJECT = Path(__file__).parent / "project"
TABLES = {".sql", ".py", ".csv"}
NEXT = ["--vars", "{moved: true}"]


@pytest.fixture(scope="module")
def first(project: Path, session: Any) -> Run:  # noqa: ARG001
    return build(project)


@pytest.fixture(scope="module")
def second(first: Run, project: Path) -> Run:  # noqa: ARG001
    return build(project, "--full-refresh", *NEXT)


def rows(session: Any, query: str) -> list[Sequence[Any]]:
    return [tuple(row) for row in session.sql(query).collect()]


def test_every_node_is_built(first: Run, second: Run) -> None:
    assert set(first.statuses.values()) == {"success", "pass"}
    assert second.statuses == first.statuses


@pytest.mark.usefixtures("second")
def test_a_seed_keeps_quotes_backslashes_missing_values_and_large_numbers(session: Any) -> None:
    assert rows(session, "select customer, amount from main.raw_orders order by order_id") == [
        ("O'Brien", 10.5),
        ('back\\slash "quoted"', 20.25),
        (None, 9007199254740992.0),
    ]


@pytest.mark.usefixtures("second")
def test_python_models_read_refs_and_settings(session: Any) -> None:
    assert rows(session, "select * from main.totals_read") == [(30.75,)]
    assert rows(session, "select * from main.doubled order by 1") == [(2,), (4,), (6,)]


@pytest.mark.usefixtures("second")
def test_an_incremental_python_model_appends_reads_itself_and_gets_columns(session: Any) -> None:
    """The second build says --full-refresh, the model full_refresh=False."""
    assert rows(session, "select * from main.runs order by 1") == [(0, None), (1, "again")]


@pytest.mark.usefixtures("second")
def test_a_python_table_reads_the_table_that_it_replaces(session: Any) -> None:
    assert rows(session, "select * from main.rounds") == [(2, "x", None)]


@pytest.mark.usefixtures("second")
def test_an_empty_pandas_frame_keeps_its_types(session: Any) -> None:
    types = [field.dataType.simpleString() for field in session.table("main.no_orders").schema]
    assert types == ["bigint", "string"]


@pytest.mark.usefixtures("second")
def test_tables_are_parquet_with_the_comments_of_the_project(session: Any) -> None:
    described = {
        row.col_name: (row.data_type, row.comment)
        for row in session.sql("describe extended main.orders").collect()
    }
    assert described["order_id"] == ("bigint", "Key, it's the seed's.")
    assert described["customer"][1] is None
    assert described["Provider"][0] == "parquet"
    assert described["Comment"][0] == 'One row per order.\nIt\'s a "table" with a back\\slash.'


@pytest.mark.usefixtures("second")
def test_a_snapshot_on_parquet_closes_opens_and_keeps(session: Any) -> None:
    history = rows(
        session,
        "select order_id, place, note, dbt_valid_to is null, dbt_valid_from = dbt_updated_at "
        "from main_history.place_history order by 1, 2",
    )
    assert history == [
        (1, "north", "new", True, True),
        (1, "south", None, False, True),
        (2, "south", None, True, True),
        (3, "south", None, False, True),
    ]


@pytest.mark.usefixtures("second")
def test_nothing_is_left_beside_the_tables(session: Any) -> None:
    names = {row.tableName for row in session.sql("show tables in main").collect()}
    assert names == {path.stem for path in PROJECT.glob("*/*") if path.suffix in TABLES}


@pytest.mark.usefixtures("second")
def test_a_failing_python_model_fails_alone_and_says_why(project: Path) -> None:
    broken = build(
        project, "--vars", "{broken: true}", "--select", "broken+", "broken_query", "rounds"
    )
    assert broken.statuses == {
        "broken": "error",
        "after_broken": "skipped",
        "broken_query": "error",
        "rounds": "success",
    }
    message = broken.messages["broken"]
    assert "RefusedError: REFUSED: Found nothing. Do something." in message
    assert 'raise RefusedError("REFUSED' in message
    assert "python_submission.py" not in message
    query = broken.messages["broken_query"]
    assert "`no_such_column`" in query
    assert "Project" not in query
    assert len(query.splitlines()) < 10


@pytest.mark.usefixtures("second")
def test_a_failing_table_stays_as_it_was(project: Path, session: Any) -> None:
    before = rows(session, "select * from main.broken_contract")
    broken = build(project, "--vars", "{broken: true}", "--select", "broken_contract")
    assert broken.statuses == {"broken_contract": "error"}
    assert "data type mismatch" in broken.messages["broken_contract"]
    assert rows(session, "select * from main.broken_contract") == before


@pytest.mark.usefixtures("second")
def test_a_build_killed_in_mid_table_is_followed_by_one_that_works(
    project: Path, session: Any
) -> None:
    """Files without an entry in the catalog, and a table that had made room for its successor."""
    warehouse = project / "catalog" / "warehouse" / "main.db"
    left = warehouse / "places__dbt_tmp"
    left.mkdir()
    (left / "part-0.parquet").write_text("half")
    session.sql("alter table main.runs rename to main.runs__dbt_backup")
    again = build(project, *NEXT, "--select", "places", "runs")
    assert set(again.statuses.values()) == {"success"}
    assert rows(session, "select count(*) from main.places") == [(2,)]
    assert rows(session, "select max(runs_before) from main.runs")[0][0] >= 1


@pytest.mark.usefixtures("second")
def test_another_process_is_told_that_the_catalog_is_in_use_and_finds_it_afterwards(
    project: Path,
) -> None:
    from dbt.adapters.sparksession import session as sessions

    refused = dbt_process(project, "debug", "--connection")
    assert refused.returncode
    assert "is used by another process" in refused.stdout
    assert "catalog_dir" in refused.stdout
    assert "\tat " not in refused.stdout
    sessions.stop()
    shown = dbt_process(
        project, "show", "-q", "--output", "json", "--inline", "select * from {{ ref('rounds') }}"
    )
    assert '"name": "x"' in shown.stdout, shown.stdout + shown.stderr
