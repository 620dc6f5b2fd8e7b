"""Spark's data frames behind the operations of DuckDB's relations that the models use.

Everything stays lazy, and the executors do the work, until something is fetched: points, scaling
and models, never customers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mall_segments.duckdb_engine import relation_from_columns, relation_from_rows, whole_sum
from mall_segments.engines import is_of_spark

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CONVERTED: Mapping[str, Callable[[Any], Any]] = {
    "string": str,
    "integer": int,
    "bigint": int,
    "double": float,
}


@dataclass(frozen=True)
class SparkEngine:
    """A Spark session in the place of a DuckDB connection."""

    session: SparkSession

    def sql(self, query: str) -> SparkRelation:
        """Return the relation of a query."""
        return SparkRelation(self.session.sql(query))


@dataclass(frozen=True)
class SparkRelation:
    """A data frame with the methods of a DuckDB relation; arguments are SQL."""

    frame: DataFrame

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.frame.columns)

    def project(self, columns: str) -> SparkRelation:
        """Select expressions."""
        return self._query(f"select {columns} from {{rows}}")

    def aggregate(self, columns: str, group: str = "") -> SparkRelation:
        """Select aggregates, for each group if one is given."""
        return self._query(f"select {columns} from {{rows}}{f' group by {group}' * bool(group)}")

    def filter(self, condition: str) -> SparkRelation:
        """Keep the rows of which the condition is true."""
        return self._query(f"select * from {{rows}} where {condition}")

    def order(self, columns: str) -> SparkRelation:
        """Sort the rows."""
        return self._query(f"select * from {{rows}} order by {columns}")

    def limit(self, rows: int) -> SparkRelation:
        """Keep the first rows."""
        return SparkRelation(self.frame.limit(rows))

    def distinct(self) -> SparkRelation:
        """Keep one of the rows that are the same."""
        return SparkRelation(self.frame.distinct())

    def join(self, other: SparkRelation, column: str) -> SparkRelation:
        """Join by a column that both have."""
        return SparkRelation(self.frame.join(other.frame, column))

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows."""
        return [tuple(row) for row in self.frame.collect()]

    def fetchnumpy(self) -> dict[str, np.ndarray]:
        """Return every column as an array."""
        table = self.frame.toArrow()
        return {
            name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names
        }

    def _query(self, query: str) -> SparkRelation:
        return SparkRelation(self.frame.sparkSession.sql(query, rows=self.frame))


def wrapped(value: Any) -> Any:
    """Return a session, a data frame or a function that returns one as the models take it."""
    if is_of_spark(value):
        return SparkEngine(value) if hasattr(value, "createDataFrame") else SparkRelation(value)
    if callable(value):
        return _wrapping(value)
    return value


def _wrapping(function: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: wrapped(function())


@relation_from_rows.register
def _(
    engine: SparkEngine, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence]
) -> SparkRelation:
    schema = ", ".join(f"`{name}` {kind}" for name, kind in columns)
    plain = [
        [_plain(value, kind) for value, (_, kind) in zip(row, columns, strict=True)] for row in rows
    ]
    return SparkRelation(engine.session.createDataFrame(plain, schema))


@relation_from_columns.register
def _(engine: SparkEngine, columns: Mapping[str, np.ndarray]) -> SparkRelation:
    import pyarrow

    return SparkRelation(engine.session.createDataFrame(pyarrow.table(dict(columns))))


@whole_sum.register
def _(_relation: SparkRelation, expression: str) -> str:
    # A sum of integers is one of 64 bits, and raises an error beyond.
    return f"sum(cast({expression} as decimal(38, 0)))"


def _plain(value: object, kind: str) -> object:
    """Return a value as Python's own type for a type of SQL: Spark converts nothing."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if value is None or kind not in CONVERTED else CONVERTED[kind](value)
