"""Queries of dbt in the session."""

from __future__ import annotations

import datetime as dt
import logging
import re
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.spark.connections import SparkConnectionManager, SparkConnectionWrapper
from dbt.adapters.sparksession.messages import short_message
from dbt.adapters.sparksession.session import cancel, cancellable, session_for
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError

logger = AdapterLogger("SparkSession")

# pyspark prints every error with all frames of Java, before it raises it.
for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
    logging.getLogger(name).disabled = True

# A statement that Spark runs only when somebody takes its rows, after any comments.
QUERY = re.compile(r"(\s|\(|--[^\n]*\n|/\*.*?\*/)*(select|with|values|from|table)\b", re.I | re.S)


class SessionHandle:
    """What one thread of dbt runs in the session that all threads share.

    Attributes
    ----------
    session : the session
    tag : on all that the thread runs, so that it can be cancelled from another one
    """

    def __init__(self, session: Any, tag: str) -> None:
        self.session = session
        self.tag = tag

    def cursor(self) -> SessionCursor:
        """Return a cursor for one statement."""
        return SessionCursor(self.session, self.tag)

    def cancel(self) -> None:
        """Interrupt what the thread runs in Spark."""
        cancel(self.session, self.tag)

    def close(self) -> None:
        """Do nothing: the session outlives the handle."""

    def rollback(self) -> None:
        """Do nothing: Spark has no transactions."""


def thread_tag() -> str:
    """Return the tag of what the calling thread runs."""
    return f"dbt-{threading.get_ident()}"


class SessionCursor(SparkConnectionWrapper):
    """One statement, in the shape of a database cursor."""

    def __init__(self, session: Any, tag: str) -> None:
        self._session = session
        self._tag = tag
        self._frame: Any = None
        self._is_pending = False

    def cursor(self) -> SessionCursor:
        return SessionCursor(self._session, self._tag)

    def execute(self, sql: str, bindings: Sequence[Any] | None = None) -> None:
        sql = sql.strip().removesuffix(";")
        if bindings is not None:
            sql %= tuple(map(literal, bindings))
        self._frame = self._run(lambda: self._session.sql(sql))
        self._is_pending = QUERY.match(sql) is not None

    def finish(self) -> None:
        """Run a query whose rows nobody takes, for what it may do or refuse."""
        if self._is_pending:
            self._run(self._frame.write.format("noop").mode("overwrite").save)

    def fetchall(self) -> list[Any]:
        return self._run(self._frame.collect)

    def fetchmany(self, rows: int) -> list[Any]:
        return self._run(lambda: self._frame.take(rows))

    def fetchone(self) -> Any:
        return next(iter(self.fetchmany(1)), None)

    def _run(self, action: Callable[[], Any]) -> Any:
        self._is_pending = False
        try:
            with cancellable(self._session, self._tag):
                return action()
        except Exception as error:
            raise DbtDatabaseError(short_message(error)) from error

    @property
    def description(self) -> list[tuple[Any, ...]]:
        fields = self._run(lambda: self._frame.schema.fields) if self._frame is not None else []
        return [
            (field.name, field.dataType.simpleString(), None, None, None, None, field.nullable)
            for field in fields
        ]

    def cancel(self) -> None:
        cancel(self._session, self._tag)

    def close(self) -> None:
        self._frame = None

    def rollback(self) -> None:
        """Do nothing: Spark has no transactions."""


def literal(value: Any) -> str:
    r"""Return a value as Spark SQL writes it.

    Examples
    --------
    >>> print(literal("O'Brien"), literal(None), literal(dt.date(2026, 1, 31)))
    'O\'Brien' null '2026-01-31'
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        value = value.isoformat(sep=" ")
    text = str(value).replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{text}'"


class SparkSessionConnectionManager(SparkConnectionManager):
    """Connections that share the session."""

    TYPE = "sparksession"

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        if connection.state == ConnectionState.OPEN:
            return connection
        connection.handle = SessionHandle(session_for(connection.credentials), thread_tag())
        connection.state = ConnectionState.OPEN
        return connection

    @contextmanager
    def exception_handler(self, sql: str) -> Generator[None, None, None]:
        try:
            yield
        except DbtRuntimeError:
            raise
        except Exception as error:
            logger.debug(f"Error while running:\n{sql}")
            raise DbtDatabaseError(short_message(error)) from error

    def execute(
        self, sql: str, auto_begin: bool = False, fetch: bool = False, limit: int | None = None
    ) -> tuple[Any, Any]:
        from dbt_common.clients.agate_helper import empty_table

        _, cursor = self.add_query(self._add_query_comment(sql), auto_begin)
        response = self.get_response(cursor)
        if fetch:
            return response, self.get_result_from_cursor(cursor, limit)
        cursor.finish()
        return response, empty_table()
