"""Lloyd's algorithm over all rows of a relation, in the engine.

A pass assigns every row to its nearest centroid and adds up the clusters. Centroids, sizes and WCSS
are those of all rows; nothing as long as the relation enters Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mall_segments.assignment import Scaling
from mall_segments.duckdb_engine import whole_sum
from mall_segments.lloyd import Floats
from mall_segments.sql_text import double
from mall_segments.weighted_points import largest_first

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

# The passes end where the next step would lower the WCSS by less than this share of it.
TOLERANCE = 1e-6
MOST_PASSES = 1_000
# Sums are added up as integers of 63 bits a row, so that no order of the rows shows in them.
ROW_BITS = 62
VALUE_BITS = 46
DISTANCE_BITS = 24
# Up to so many segments comparisons are faster than the least of all distances.
COMPARED_SEGMENTS = 6


@dataclass(frozen=True)
class End:
    """Where a search or the passes ended: clusters by size, the largest first.

    Attributes
    ----------
    centroids : (k, d) array, scaled
    sizes : (k,) array, customers whose nearest centroid it is
    wcss : float, sum of the squared distances of all customers to these
    passes : int
    """

    centroids: Floats
    sizes: Floats
    wcss: float
    passes: int = 0


@dataclass(frozen=True)
class Passes:
    """What every pass over a relation needs.

    Attributes
    ----------
    relation : relation with the features and the weight
    scaling : d Scalings, of all customers of the relation
    weight : SQL, customers of a row
    sums : FixedPoint
    total_sum_of_squares : float, of the scaled features of all customers
    """

    relation: DuckDBPyRelation
    scaling: tuple[Scaling, ...]
    weight: str
    sums: FixedPoint
    total_sum_of_squares: float

    @classmethod
    def over(
        cls, relation: DuckDBPyRelation, scaling: Sequence[Scaling], weight: str = "customers"
    ) -> Passes:
        """Prepare passes over rows that are scaled by their own mean and standard deviation."""
        ((customers, largest),) = relation.aggregate(f"sum({weight}), max({weight})").fetchall()
        sums = FixedPoint.of(
            [one.feature for one in scaling],
            np.array([one.minimum for one in scaling]),
            np.array([one.maximum for one in scaling]),
            largest_weight=int(largest),
        )
        varying = sum(one.maximum > one.minimum for one in scaling)
        return cls(relation, tuple(scaling), weight, sums, float(customers) * varying)

    def run(self, centroids: Floats, *, exact: bool = False) -> End:
        """Run passes from some centroids.

        Parameters
        ----------
        centroids : (k, d) array
        exact : bool
            End at a fixed point. Otherwise end where the next step, from these centroids to the
            means of their customers, would lower the WCSS by less than TOLERANCE of it.
        """
        passes = 0
        while True:
            passes += 1
            sizes, means = self._clusters(centroids)
            squares = (centroids**2).sum(axis=1) - 2 * (centroids * means).sum(axis=1)
            wcss = self.total_sum_of_squares + float(sizes @ squares)
            step = float(sizes @ ((means - centroids) ** 2).sum(axis=1))
            by_size = largest_first(centroids, sizes)
            is_sorted = bool((by_size == np.arange(len(centroids))).all())
            has_converged = is_sorted and step <= (0 if exact else TOLERANCE * wcss)
            if has_converged or passes == MOST_PASSES:
                return End(centroids, sizes, wcss, passes)
            centroids = means[by_size]

    def spread(self, end: End) -> Floats:
        """Return the (k,) mean distances of the customers of each cluster to its centroid."""
        columns = [f"{self.weight} as weight", *(one.feature for one in self.scaling)]
        numbered = nearest(self.relation, columns, self.scaling, end.centroids)
        squares = []
        for one, places in zip(self.scaling, end.centroids.T, strict=True):
            branches = " ".join(f"when {n} then {double(place)}" for n, place in enumerate(places))
            scaled = f"({one.feature} - {double(one.mean)}) / {double(one.scale)}"
            squares.append(f"pow({scaled} - case segment_number {branches} end, 2)")
        distance = f"cast(round(sqrt({' + '.join(squares)}) * {1 << DISTANCE_BITS}) as bigint)"
        found = numbered.aggregate(
            f"segment_number, {whole_sum(numbered, f'weight * {distance}')}", "segment_number"
        ).fetchall()
        sums = np.zeros(len(end.centroids))
        for number, total in found:
            sums[number] = float(total) / (1 << DISTANCE_BITS)
        return sums / np.maximum(end.sizes, 1.0)

    def _clusters(self, centroids: Floats) -> tuple[Floats, Floats]:
        """Return the (k,) sizes and the (k, d) scaled means; an empty cluster stays."""
        columns = [f"{self.weight} as weight", *self.sums.columns()]
        numbered = nearest(self.relation, columns, self.scaling, centroids)
        sizes, totals = self.sums.by_cluster(numbered, len(centroids))
        mean = np.array([one.mean for one in self.scaling])
        scale = np.array([one.scale for one in self.scaling])
        means = (totals / np.maximum(sizes, 1.0)[:, None] + self.sums.centre - mean) / scale
        return sizes, np.where((sizes > 0)[:, None], means, centroids)


@dataclass(frozen=True)
class FixedPoint:
    """Sums of features as integers: exact, whatever the order of the rows.

    Attributes
    ----------
    features : d names
    centre : (d,) array that is subtracted first, so that squares stay small
    factor : (d,) array of powers of two that a value is multiplied by before it is rounded
    """

    features: tuple[str, ...]
    centre: Floats
    factor: Floats

    @classmethod
    def of(
        cls, features: Sequence[str], minimum: Floats, maximum: Floats, largest_weight: int = 1
    ) -> FixedPoint:
        """Choose the finest that holds values between two (d,) bounds, times a weight."""
        bits = min(VALUE_BITS, ROW_BITS - largest_weight.bit_length())
        centre = np.floor((minimum + maximum) / 2)
        reach = np.maximum(maximum - centre, centre - minimum)
        exponent = bits - np.ceil(np.log2(np.maximum(reach, 2.0**-100)))
        return cls(tuple(features), centre, 2.0**exponent)

    def moments(self, relation: DuckDBPyRelation) -> tuple[Floats, Floats]:
        """Return the (d,) means and population standard deviations of the rows."""
        sums = [f"sum({value})" for value in self._values()]
        # A square has twice the bits, which is more than an integer of 64 holds.
        squares = [f"sum(cast({value} as hugeint) * {value})" for value in self._values()]
        ((rows, *found),) = relation.aggregate(", ".join(["count(*)", *sums, *squares])).fetchall()
        of_values, of_squares = found[: len(sums)], found[len(sums) :]
        mean = np.array([float(value) for value in of_values]) / self.factor / rows
        variance = np.array(
            [
                (int(square) * rows - int(value) ** 2) / rows**2
                for value, square in zip(of_values, of_squares, strict=True)
            ]
        )
        return mean + self.centre, np.sqrt(variance) / self.factor

    def columns(self) -> list[str]:
        """Return the columns that `by_cluster` adds up."""
        return [f"{value} as value_{i}" for i, value in enumerate(self._values())]

    def by_cluster(self, numbered: DuckDBPyRelation, k: int) -> tuple[Floats, Floats]:
        """Return the (k,) sizes and the (k, d) sums from the centre of every cluster."""
        sums = [whole_sum(numbered, f"weight * value_{i}") for i in range(len(self.features))]
        columns = ", ".join(["segment_number", "sum(weight)", *sums])
        sizes, totals = np.zeros(k), np.zeros((k, len(self.features)))
        for number, size, *parts in numbered.aggregate(columns, "segment_number").fetchall():
            sizes[number] = size
            totals[number] = np.array([float(part) for part in parts]) / self.factor
        return sizes, totals

    def _values(self) -> list[str]:
        return [
            f"cast(round(({name} - {double(centre)}) * {double(factor)}) as bigint)"
            for name, centre, factor in zip(self.features, self.centre, self.factor, strict=True)
        ]


def nearest(
    relation: DuckDBPyRelation,
    columns: Sequence[str],
    scaling: Sequence[Scaling],
    centroids: Floats,
) -> DuckDBPyRelation:
    """Return some columns and `segment_number`, that of the nearest centroid, the first on a tie.

    Parameters
    ----------
    relation : relation with the features
    columns : SQL of the columns to keep, each a name or `expression as name`
    scaling : d Scalings
    centroids : (k, d) array, scaled

    Notes
    -----
    The squared distance without the row's own square is linear in the features, so scaling and
    centroids fold into one factor per feature and one constant.
    """
    factors = -2 * centroids / np.array([one.scale for one in scaling])
    constants = (centroids**2).sum(axis=1) - factors @ np.array([one.mean for one in scaling])
    names = [f"distance_{number}" for number in range(len(centroids))]
    linear = [
        " + ".join(
            [
                double(constant),
                *(f"{double(a)} * {one.feature}" for a, one in zip(row, scaling, strict=True)),
            ]
        )
        for row, constant in zip(factors, constants, strict=True)
    ]
    distances = [f"{sql} as {name}" for sql, name in zip(linear, names, strict=True)]
    kept = [column.rpartition(" as ")[2] for column in columns]
    numbered = relation.project(", ".join([*columns, *distances]))
    return numbered.project(", ".join([*kept, f"{_least_number(names)} as segment_number"]))


def _least_number(names: Sequence[str]) -> str:
    *earlier, _ = enumerate(names)
    if not earlier:
        return "cast(0 as tinyint)"
    if len(names) <= COMPARED_SEGMENTS:
        # Whoever is not above any later one, while no earlier one was, is the least.
        conditions = [
            " and ".join(f"{name} <= {other}" for other in names[number + 1 :])
            for number, name in earlier
        ]
    else:
        conditions = [f"{name} = least({', '.join(names)})" for _, name in earlier]
    branches = " ".join(f"when {sql} then {number}" for number, sql in enumerate(conditions))
    return f"cast(case {branches} else {len(names) - 1} end as tinyint)"
