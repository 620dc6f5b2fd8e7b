"""What the Python models ask of DuckDB: small tables out, lazy relations in.

What another engine does in a way of its own is registered by it (see `spark_engine`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np

from mall_segments.assignment import CUSTOMER_COLUMNS, Scaling, assignment_steps
from mall_segments.lloyd import Floats
from mall_segments.sql_text import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation


def read_rows(relation: DuckDBPyRelation, columns: Sequence[str]) -> list[tuple]:
    """Return the named columns of a small relation, ordered by them."""
    selected = ", ".join(columns)
    return relation.project(selected).order(selected).fetchall()


def read_scaling(scaling: DuckDBPyRelation, features: Sequence[str]) -> list[Scaling]:
    """Return the scaling of the features, in their order, from one row per feature."""
    columns = ("feature", "mean", "scale", "minimum", "maximum")
    by_feature = {row[0]: Scaling(*row) for row in read_rows(scaling, columns)}
    return [by_feature[feature] for feature in features if feature in by_feature]


@singledispatch
def whole_sum(_relation: Any, expression: str) -> str:
    """Return the SQL of the sum of an expression of integers, however large it becomes."""
    return f"sum({expression})"


@singledispatch
def relation_from_columns(session: Any, columns: Mapping[str, np.ndarray]) -> Any:
    """Return a relation of numbers, which may be many."""
    import pandas as pd

    return session.from_df(pd.DataFrame(columns))


def assign(
    customers: DuckDBPyRelation,
    scaling: Sequence[Scaling],
    centroids: Floats,
    keys: Sequence[str],
    columns: Sequence[str] = CUSTOMER_COLUMNS,
) -> DuckDBPyRelation:
    """Return the lazy relation that assigns every customer (see `assignment_steps`)."""
    for select_list in assignment_steps(scaling, centroids, keys, columns):
        customers = customers.project(", ".join(select_list))
    return customers


@singledispatch
def relation_from_rows(
    session: Any, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence]
) -> Any:
    """Return a relation of constants with the given (name, type) columns; no rows are fine too."""
    typed = [f"cast(column_{i} as {kind}) as {name}" for i, (name, kind) in enumerate(columns)]
    names = ", ".join(f"column_{i}" for i in range(len(columns)))
    values = ", ".join(f"({', '.join(map(_constant, row))})" for row in rows)
    empty = f"({', '.join(['null'] * len(columns))})"
    condition = "" if rows else " where false"
    return session.sql(
        f"select {', '.join(typed)} from (values {values or empty}) as rows({names}){condition}"
    )


def _constant(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return literal(repr(float(value)) if isinstance(value, float) else str(value))
