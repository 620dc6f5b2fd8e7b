"""What differs between the relations of two engines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from tests.integration.conftest import STAMPS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What names, times or signs a build besides: the engine, and what dbt's snapshots keep.
OTHER_STAMPS = (
    "certified_at",
    "dbt_scd_id",
    "dbt_updated_at",
    "dbt_valid_from",
    "dbt_valid_to",
    "engine_version",
    "registered_at",
)
# Spark's words for the types of DuckDB that have another name there.
TYPES = {"varchar": "string", "integer": "int"}
# How far two numbers may be apart, in themselves or against their size.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Relation:
    """The columns of a relation, without those that name or time a build, and its rows."""

    columns: list[str]
    types: list[str]
    rows: list[tuple]


def duckdb_relation(connection: duckdb.DuckDBPyConnection, name: str) -> Relation:
    relation = connection.table(name)
    names = (str(kind).lower() for kind in relation.types)
    types = [TYPES.get(kind, kind) for kind in names]
    return _relation(relation.columns, types, relation.fetchall())


def spark_relation(session: SparkSession, name: str) -> Relation:
    table = session.table(name)
    columns, types = zip(*table.dtypes, strict=True)
    return _relation(columns, types, [tuple(row) for row in table.collect()])


def differences(name: str, expected: Relation, found: Relation) -> Iterator[str]:
    """Say what differs: the columns, a type, else the number of rows, else every value that does.

    The order of rows is no part of a relation. Texts, dates, booleans, whole numbers and nulls must
    be equal, other numbers to a billionth.
    """
    if expected.columns != found.columns:
        yield f"{name}: columns {found.columns} instead of {expected.columns}"
        return
    for column, one, other in zip(expected.columns, expected.types, found.types, strict=True):
        if one != other:
            yield f"{name}: {column} is of type {other} instead of {one}"
    if len(expected.rows) != len(found.rows):
        yield f"{name}: {len(found.rows)} rows instead of {len(expected.rows)}"
        return
    pairs = zip(sorted(expected.rows, key=_place), sorted(found.rows, key=_place), strict=True)
    for ours, theirs in pairs:
        for column, one, other in zip(expected.columns, ours, theirs, strict=True):
            if not _equal(one, other):
                yield f"{name}: {column} is {other!r} instead of {one!r} in {ours}"


def different_marts(database: Path, warehouse: Path) -> list[str]:
    """Say what differs between the marts in a database of DuckDB and in a warehouse of Spark."""
    found = []
    with duckdb.connect(str(database), read_only=True) as ours, duckdb.connect() as theirs:
        theirs.execute("set timezone = 'UTC'")
        query = "select table_name from duckdb_tables() where schema_name = 'marts'"
        expected = {name for (name,) in ours.sql(query).fetchall()}
        names = {folder.name for folder in (warehouse / "marts.db").iterdir()}
        found += [f"marts.{name} is on one engine only" for name in expected ^ names]
        for name in sorted(expected & names):
            files = warehouse / "marts.db" / name / "*.parquet"
            theirs.execute(f"create or replace view mart as from '{files}'")
            own = duckdb_relation(ours, f"marts.{name}")
            other = duckdb_relation(theirs, "mart")
            # Parquet of Spark has moments where DuckDB has times; names of types are compared
            # elsewhere.
            other = Relation(other.columns, own.types, other.rows)
            found += differences(f"marts.{name}", own, other)
    assert expected, f"no marts in {database}"
    return found


def _relation(columns: Sequence[str], types: Sequence[str], rows: Sequence[tuple]) -> Relation:
    kept = [
        place
        for place, column in enumerate(columns)
        if column not in STAMPS and column not in OTHER_STAMPS
    ]
    return Relation(
        [columns[place] for place in kept],
        [types[place] for place in kept],
        [tuple(row[place] for place in kept) for row in rows],
    )


def _place(row: tuple) -> list[tuple[bool, str]]:
    """Return what sorts rows of any types: last digits must not put them in another order."""
    return [(value is None, f"{value:.6g}" if _real(value) else str(value)) for value in row]


def _real(value: object) -> bool:
    return isinstance(value, float | Decimal)


def _equal(one: object, other: object) -> bool:
    if _real(one) and _real(other):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(one) is type(other) and one == other
