"""Queries of dbt in the session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.spark.connections import SparkConnectionManager, SparkConnectionWrapper
from dbt.adapters.sparksession.messages import short_message
from dbt.adapters.sparksession.session import session_for
from dbt_common.exceptions import DbtDatabaseError

logger = AdapterLogger("SparkSession")


class SessionCursor(SparkConnectionWrapper):
    """One query, in the shape of a database cursor."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._frame: Any = None

    def cursor(self) -> SessionCursor:
        return SessionCursor(self._session)

    def execute(self, sql: str, bindings: Sequence[Any] | None = None) -> None:
        sql = sql.strip().removesuffix(";")
        if bindings is not None:
            sql %= tuple(map(literal, bindings))
        try:
            self._frame = self._session.sql(sql)
        except Exception as error:
            raise DbtDatabaseError(short_message(error)) from error

    def fetchall(self) -> list[Any]:
        return self._collect(lambda frame: frame.collect())

    def fetchmany(self, rows: int) -> list[Any]:
        return self._collect(lambda frame: frame.take(rows))

    def fetchone(self) -> Any:
        return next(iter(self.fetchmany(1)), None)

    def _collect(self, how: Any) -> list[Any]:
        if self._frame is None:
            return []
        try:
            return how(self._frame)
        except Exception as error:
            raise DbtDatabaseError(short_message(error)) from error

    @property
    def description(self) -> list[tuple[Any, ...]]:
        if self._frame is None:
            return []
        return [
            (field.name, field.dataType.simpleString(), None, None, None, None, field.nullable)
            for field in self._frame.schema.fields
        ]

    def cancel(self) -> None:
        pass

    def close(self) -> None:
        self._frame = None

    def rollback(self) -> None:
        """Do nothing: Spark has no transactions."""


def literal(value: Any) -> str:
    """Return a value as Spark SQL writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        value = value.isoformat(sep=" ")
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


class SparkSessionConnectionManager(SparkConnectionManager):
    """Connections that share the session."""

    TYPE = "sparksession"

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        if connection.state == ConnectionState.OPEN:
            return connection
        connection.handle = SessionCursor(session_for(connection.credentials))
        connection.state = ConnectionState.OPEN
        return connection
