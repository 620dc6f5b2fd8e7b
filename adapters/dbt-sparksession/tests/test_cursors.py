"""Statements and frames in a session, as dbt's threads run them."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from dbt.adapters.sparksession.connections import SessionHandle, thread_tag
from dbt.adapters.sparksession.python_submission import to_spark
from dbt_common.exceptions import DbtDatabaseError
from tests.waiting import until

pytestmark = pytest.mark.spark
TYPES = """
select 1 as one, cast(2 as decimal(5, 2)) as two, date'2026-01-31' as day,
       array(1, 2) as many, cast(null as string) as nothing
"""
# Hours, if nobody interrupts it.
ENDLESS = "select sum(a.id * b.id) from range(10000000) as a cross join range(10000000) as b"


@pytest.fixture
def handle(session: Any) -> SessionHandle:
    return SessionHandle(session, thread_tag())


def test_rows_and_types_are_those_of_the_query(handle: SessionHandle) -> None:
    cursor = handle.cursor()
    cursor.execute(f"{TYPES};")
    assert [(name, kind) for name, kind, *_ in cursor.description] == [
        ("one", "int"),
        ("two", "decimal(5,2)"),
        ("day", "date"),
        ("many", "array<int>"),
        ("nothing", "string"),
    ]
    row = (1, Decimal("2.00"), dt.date(2026, 1, 31), [1, 2], None)
    assert [tuple(each) for each in cursor.fetchall()] == [row]
    assert tuple(cursor.fetchone()) == row


def test_a_query_that_nobody_reads_runs_all_the_same(handle: SessionHandle) -> None:
    cursor = handle.cursor()
    cursor.execute("/* dbt */ -- a hook\n select raise_error('REFUSED')")
    with pytest.raises(DbtDatabaseError, match="REFUSED"):
        cursor.finish()


def test_a_query_is_cancelled_from_another_thread(session: Any) -> None:
    started: list[SessionHandle] = []
    raised: list[Exception] = []

    def run() -> None:
        started.append(SessionHandle(session, thread_tag()))
        cursor = started[0].cursor()
        cursor.execute(ENDLESS)
        try:
            cursor.fetchall()
        except DbtDatabaseError as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def ended() -> bool:
        if started:
            started[0].cancel()
        return not thread.is_alive()

    until(ended, pause=lambda: thread.join(1))
    assert "cancel" in str(raised[0]).lower()


def test_a_frame_of_another_kind_is_refused_by_its_name(session: Any) -> None:
    with pytest.raises(TypeError, match=r"this one returned builtins\.list"):
        to_spark([1], session)


def test_a_pandas_frame_keeps_missing_text_and_drops_its_index(session: Any) -> None:
    frame = to_spark(pd.DataFrame({"name": ["x", None]}, index=[7, 8]), session)
    assert frame.columns == ["name"]
    assert [row.name for row in frame.collect()] == ["x", None]
