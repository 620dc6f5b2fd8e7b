"""The points of a relation of the engine: its distinct vectors, or cells where these are too many.

Either way the engine does the one pass over the rows, and what enters Python has a bounded size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mall_segments.assignment import Scaling
from mall_segments.duckdb_engine import whole_sum
from mall_segments.lloyd import Floats
from mall_segments.sql_text import double
from mall_segments.weighted_points import WeightedPoints

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

# Distinct vectors that enter Python at most, some 100 MB for three features, if each stands for
# REPEATED customers on average; as many as UNREPEATED_POINTS in any case.
LARGEST_POINTS = 2_000_000
UNREPEATED_POINTS = 1 << 19
REPEATED = 4
# Otherwise that many cells at most, about: the engine estimates their number before it counts.
LARGEST_CELLS = 262_144
# Cells are cubes with sides of 2^-n standard deviations; the finest that are few enough are taken.
FINENESS = range(-2, 13)
# A place inside a cell is an integer of so many bits, so that sums do not depend on any order.
PLACE_BITS = 16


def read_points(
    relation: DuckDBPyRelation, scaling: Sequence[Scaling], weight: str = "customers"
) -> WeightedPoints:
    """Return the scaled points of some features.

    Parameters
    ----------
    relation : relation with the features and the weight
    scaling : sequence of Scaling
        The features and how they are scaled.
    weight : SQL
        Customers of a row of the relation; the engine adds up those of the vectors that the
        features do not tell apart.

    Returns
    -------
    WeightedPoints
        Of too many distinct vectors, cells: see `are_few` and `read_cells`.
    """
    features = [one.feature for one in scaling]
    ((rows, customers),) = relation.aggregate(f"count(*), sum({weight})").fetchall()
    if not are_few(vectors_at_most(relation, features, rows), float(customers or 0)):
        return read_cells(relation, scaling, weight)
    columns = read_columns(relation, features, weight)
    return WeightedPoints(standardised(columns, scaling), columns["weight"])


def are_few(vectors: float, customers: float) -> bool:
    """Tell whether so many distinct vectors of so many customers are fitted in Python.

    Where few repeat, passes over all of them in the engine cost less, and less memory.

    Examples
    --------
    >>> are_few(700_000, 10_000_000), are_few(700_000, 1_000_000), are_few(3e6, 1e9)
    (True, False, False)
    """
    is_repeated = vectors * REPEATED <= customers
    return vectors <= (LARGEST_POINTS if is_repeated else min(UNREPEATED_POINTS, LARGEST_POINTS))


def read_columns(
    relation: DuckDBPyRelation, features: Sequence[str], weight: str = "customers"
) -> dict[str, Floats]:
    """Return the distinct vectors of some features in order, and the `weight` of each."""
    selected = ", ".join(features)
    grouped = relation.aggregate(f"{selected}, sum({weight}) as weight", selected).fetchnumpy()
    columns = {name: np.asarray(grouped[name], dtype=float) for name in [*features, "weight"]}
    in_order = np.lexsort([columns[name] for name in reversed(features)])
    return {name: column[in_order] for name, column in columns.items()}


def standardised(columns: Mapping[str, Floats], scaling: Sequence[Scaling]) -> Floats:
    """Return the (m, d) scaled values of columns that have a name each."""
    scaled = [(columns[one.feature] - one.mean) / one.scale for one in scaling]
    return np.stack(scaled, axis=1)


def vectors_at_most(relation: DuckDBPyRelation, features: Sequence[str], rows: int) -> float:
    """Return an upper bound of the distinct vectors, or an estimate if they are many."""
    if rows <= min(UNREPEATED_POINTS, LARGEST_POINTS):
        return float(rows)
    vector = f"approx_count_distinct(hash({', '.join(features)}))"
    return float(relation.aggregate(vector).fetchall()[0][0])


def read_cells(
    relation: DuckDBPyRelation, scaling: Sequence[Scaling], weight: str
) -> WeightedPoints:
    """Return the means of the customers in each cell of a grid, with their scatter.

    Parameters are those of `read_points`.

    Notes
    -----
    With Q the scatter, the WCSS of the cells is that of all customers if each goes where its cell
    goes, and for any centroids its root is within the root of Q of the root of the WCSS in which
    each customer goes to the nearest, by the triangle inequality of sums of squares. Q falls with
    the square of the side of a cell.
    """
    features = range(len(scaling))
    values = [f"({one.feature} - {double(one.mean)}) / {double(one.scale)}" for one in scaling]
    scaled = relation.project(
        ", ".join([f"{weight} as weight", *(f"{sql} as z{i}" for i, sql in enumerate(values))])
    )
    side = _side(scaled, len(scaling))
    cells = [f"cast(floor(z{i} / {double(side)}) as bigint)" for i in features]
    # The place counts from the middle of the cell.
    places = [
        f"cast(round((z{i} / {double(side)} - c{i} - 0.5) * {1 << PLACE_BITS}) as bigint) as p{i}"
        for i in features
    ]
    numbered = scaled.project(
        ", ".join(["weight", *(f"z{i}, {sql} as c{i}" for i, sql in enumerate(cells))])
    ).project(", ".join(["weight", *(f"c{i}" for i in features), *places]))
    grid = ", ".join(f"c{i}" for i in features)
    sums = ", ".join(f"{whole_sum(numbered, f'weight * p{i}')} as s{i}" for i in features)
    squares = " + ".join(f"p{i} * p{i}" for i in features)
    found = numbered.aggregate(
        f"{grid}, sum(weight) as customers, {sums},"
        f" {whole_sum(numbered, f'weight * ({squares})')} as squares",
        grid,
    ).fetchnumpy()
    columns = {name: np.asarray(column, dtype=float) for name, column in found.items()}
    weights = columns["customers"]
    mean_place = np.stack([columns[f"s{i}"] for i in features], axis=1) / weights[:, None]
    corner = np.stack([columns[f"c{i}"] for i in features], axis=1)
    means = (corner + 0.5 + mean_place / (1 << PLACE_BITS)) * side
    within = columns["squares"] - weights * (mean_place**2).sum(axis=1)
    in_order = np.lexsort(means.T[::-1])
    scatter = float(np.maximum(within[in_order], 0.0).sum()) * (side / (1 << PLACE_BITS)) ** 2
    return WeightedPoints(means[in_order], weights[in_order], scatter)


def _side(scaled: DuckDBPyRelation, dimensions: int) -> float:
    """Return the side of the smallest cells that are not too many."""
    of_fineness = []
    for fineness in FINENESS:
        cell = [f"cast(floor(z{i} * {double(2.0**fineness)}) as bigint)" for i in range(dimensions)]
        of_fineness.append(f"approx_count_distinct(hash({', '.join(cell)}))")
    (counts,) = scaled.aggregate(", ".join(of_fineness)).fetchall()
    few_enough = [
        fineness for fineness, count in zip(FINENESS, counts, strict=True) if count <= LARGEST_CELLS
    ]
    return 2.0 ** -max(few_enough, default=FINENESS[0])
