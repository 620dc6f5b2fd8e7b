"""K-Means on any number of rows of a DuckDB relation, at little more than the cost of reading them.

Two exact routes, chosen by what the rows are:

- *points*: where feature vectors repeat, one `group by` collects them with their weights, and the
  fit sees only these. It has exactly the objective of all rows.
- *passes*: where they do not, a search on a sample finds where to start, and Lloyd's algorithm
  itself runs in the engine: each pass assigns every row and adds up the clusters. Its centroids and
  its WCSS are those of all rows; it ends when a pass lowers the WCSS by less than a tolerance.

Nothing as long as the relation enters Python, and the labels are a lazy relation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mall_segments.errors import TooFewPointsError
from mall_segments.hamerly import converge
from mall_segments.hartigan import improve_by_single_moves
from mall_segments.lloyd import Floats, kmeans_plus_plus, lloyd
from mall_segments.weighted_points import WeightedPoints, mean_of_groups, weight_of_groups

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

# Distinct vectors that are fitted in Python at most: some 100 MB for three features.
LARGEST_POINTS = 2_000_000
# Rows of the sample that the search of the other route sees.
SAMPLE_ROWS = 65_536
# The search runs on so many cells of the points at most, from so many k-means++ starts.
SEARCH_POINTS = 2_000
STARTS = 32
SINGLE_MOVE_STARTS = 4
# Of so many points at most, the best end is improved by single moves of all of them too.
SINGLE_MOVE_POINTS = 8_192
# Ends whose objectives on the coarsened points differ by less than this share may change places on
# all points.
COARSE_ERROR = 2e-3
# A pass that lowers the WCSS by less than this share of it is the last.
TOLERANCE = 1e-6
MOST_PASSES = 100
# Knuth's multiplicative hash (The Art of Computer Programming, 3, 6.4): ids that follow one another
# are spread over 2^32 by exact arithmetic, the same on every engine.
HASH_FACTOR = 2_654_435_761
HASH_RANGE = 1 << 32
HASHED_IDS = 1 << 31
# Sums are added up as integers, so that no order of the rows shows in them.
FIXED_POINT_BITS = 46
# Up to so many segments comparisons are faster than the least of all distances.
COMPARED_SEGMENTS = 6

Route = Literal["points", "passes"]


@dataclass(frozen=True)
class EngineFit:
    """A partition of all rows of a relation.

    Attributes
    ----------
    features : names, in the order of the columns of the centroids
    mean, scale : (d,) arrays, standardisation by the population standard deviation
    centroids : (k, d) array, scaled; clusters by size, the largest first
    sizes : (k,) array, rows per cluster
    wcss : float, of all rows, in squared standard deviations
    route : "points" or "passes"
    passes : int, passes over all rows, 0 where the points were enough
    points : int, distinct vectors, or rows of the sample, that the search saw
    """

    features: tuple[str, ...]
    mean: Floats
    scale: Floats
    centroids: Floats
    sizes: Floats
    wcss: float
    route: Route
    passes: int
    points: int


def segment_relation(
    rows: DuckDBPyRelation,
    features: Sequence[str],
    k: int,
    *,
    id_column: str = "customer_id",
    exact: bool = False,
    random_state: int = 0,
) -> tuple[EngineFit, DuckDBPyRelation]:
    """Fit K-Means to all rows and assign them.

    Parameters
    ----------
    rows : relation with `id_column`, an integer, and the features, numbers without nulls
    features : names of the d features
    k : int
    exact : bool
        Run the passes until nothing changes instead of until TOLERANCE.
    random_state : int
        Seed of the starts.

    Returns
    -------
    fit : EngineFit
    relation : lazy, `id_column` and `segment_number` (0 to k - 1)

    Raises
    ------
    TooFewPointsError

    Examples
    --------
    >>> import duckdb
    >>> rows = duckdb.sql("select i as customer_id, i // 5 * 9 + i % 5 as age from range(9) t(i)")
    >>> fit, labels = segment_relation(rows, ["age"], 2)
    >>> fit.route, fit.sizes.tolist(), labels.order("customer_id").fetchall()[-1]
    ('points', [5.0, 4.0], (8, 1))
    """
    bounds = _Bounds.read(rows, features)
    if bounds.distinct_vectors(rows) <= LARGEST_POINTS:
        fit = _fit_points(rows, features, k, random_state)
    else:
        fit = _fit_by_passes(rows, bounds, k, id_column, exact, random_state)
    labels = _numbered(rows, [id_column], fit.features, fit.mean, fit.scale, fit.centroids)
    return fit, labels


@dataclass(frozen=True)
class SweepRow:
    """What is known of one k.

    Attributes
    ----------
    k : int
    wcss : float, of all rows
    silhouette : float or None, mean over all rows; None for k = 1
    silhouette_standard_error : float or None, 0 where the silhouette is exact
    """

    k: int
    wcss: float
    silhouette: float | None
    silhouette_standard_error: float | None


def sweep_relation(
    rows: DuckDBPyRelation,
    features: Sequence[str],
    k_max: int,
    *,
    id_column: str = "customer_id",
    random_state: int = 0,
) -> list[SweepRow]:
    """Fit K-Means for every k from 1 to k_max and judge each.

    Parameters are those of `segment_relation`.

    Notes
    -----
    On the route of points everything is of all rows. On that of passes each WCSS is of all rows,
    and the silhouette is that of the sample that the search saw.
    """
    from mall_segments.criteria import silhouettes
    from mall_segments.kmeans import fit_kmeans_path

    bounds = _Bounds.read(rows, features)
    by_passes = bounds.distinct_vectors(rows) > LARGEST_POINTS
    if by_passes:
        passes = _Passes.over(rows, bounds)
        points = passes.sample(rows, id_column)
    else:
        points, _, _ = _read_points(rows, features)
    path = fit_kmeans_path(points, k_max, random_state)
    judged = silhouettes(points, [fit.labels for fit in path])
    found = []
    for fit, silhouette in zip(path, judged, strict=True):
        wcss = passes.run(rows, fit.centroids, exact=False).wcss if by_passes else fit.wcss
        mean, error = (silhouette.mean, silhouette.standard_error) if silhouette else (None, None)
        found.append(SweepRow(fit.k, wcss, mean, error))
    return found


@dataclass(frozen=True)
class _Bounds:
    """What one cheap pass over the rows says of them."""

    features: tuple[str, ...]
    rows: int
    minimum: Floats
    maximum: Floats
    has_whole_numbers: bool

    @classmethod
    def read(cls, rows: DuckDBPyRelation, features: Sequence[str]) -> _Bounds:
        of_each = [
            f"min({name}), max({name}), bool_and({name} = floor({name}))" for name in features
        ]
        counted, *found = rows.aggregate(f"count(*), {', '.join(of_each)}").fetchall()[0]
        if not counted:
            raise TooFewPointsError(found=0, needed=1)
        low, high = np.array(found[0::3], dtype=float), np.array(found[1::3], dtype=float)
        return cls(tuple(features), counted, low, high, all(found[2::3]))

    def distinct_vectors(self, rows: DuckDBPyRelation) -> float:
        """Return an upper bound of the distinct vectors if it is small, else an estimate."""
        if self.rows <= LARGEST_POINTS:
            return self.rows
        if self.has_whole_numbers:
            lattice = float(np.prod(self.maximum - self.minimum + 1))
            if lattice <= LARGEST_POINTS:
                return lattice
        vector = f"approx_count_distinct(hash({', '.join(self.features)}))"
        return float(rows.aggregate(vector).fetchall()[0][0])


@dataclass(frozen=True)
class _End:
    """Where a search or the passes ended, clusters by size."""

    centroids: Floats
    sizes: Floats
    wcss: float
    passes: int = 0


def _fit_points(
    rows: DuckDBPyRelation, features: Sequence[str], k: int, random_state: int
) -> EngineFit:
    points, mean, scale = _read_points(rows, features)
    points.require_at_least(k)
    best = search(points, k, random_state)
    return EngineFit(
        features=tuple(features),
        mean=mean,
        scale=scale,
        centroids=best.centroids,
        sizes=best.sizes,
        wcss=best.wcss,
        route="points",
        passes=0,
        points=len(points),
    )


def _read_points(
    rows: DuckDBPyRelation, features: Sequence[str]
) -> tuple[WeightedPoints, Floats, Floats]:
    """Return the distinct vectors, scaled, with the mean and the scale of the features."""
    selected = ", ".join(features)
    columns = rows.aggregate(f"{selected}, count(*) as rows_there", selected).fetchnumpy()
    values = np.stack([columns[name].astype(float) for name in features], axis=1)
    in_order = np.lexsort(values.T[::-1])
    values, weights = values[in_order], columns["rows_there"][in_order].astype(float)
    mean = weights @ values / weights.sum()
    deviation = np.sqrt(weights @ (values - mean) ** 2 / weights.sum())
    # The deviation of a constant feature is only rounding.
    scale = np.where(values.max(axis=0) > values.min(axis=0), deviation, 1.0)
    return WeightedPoints((values - mean) / scale, weights), mean, scale


def search(points: WeightedPoints, k: int, random_state: int = 0) -> _End:
    """Return the best of many starts, converged on all points.

    Parameters
    ----------
    points : WeightedPoints
    k : int
    random_state : int

    Notes
    -----
    The starts run on the coarsened points. The best of them are improved by single moves there,
    and those that are near the best of all converge on all points.
    """
    coarse = points.coarsened(SEARCH_POINTS)
    if len(coarse) < k:
        coarse = points
    generator = np.random.default_rng(random_state)
    sets = np.broadcast_to(coarse.coordinates, (STARTS, *coarse.coordinates.shape))
    weights = np.broadcast_to(coarse.weights, (STARTS, len(coarse)))
    found = lloyd(coarse.coordinates, coarse.weights, kmeans_plus_plus(sets, weights, k, generator))
    order = np.argsort(found.wcss, kind="stable")
    _, first = np.unique(found.wcss[order].round(9), return_index=True)
    chosen = found.labels[order[first[:SINGLE_MOVE_STARTS]]]
    whole = [labels for labels in chosen if len(np.unique(labels)) == k]
    improved = improve_by_single_moves(coarse.coordinates, coarse.weights, np.array(whole), k)
    centres = [
        mean_of_groups(coarse.coordinates, coarse.weights, labels, k)
        for labels in np.unique(improved, axis=0)
    ]
    objectives = lloyd(coarse.coordinates, coarse.weights, np.array(centres)).wcss
    near = objectives <= objectives.min() * (1 + COARSE_ERROR)
    ends = [converge(points, centres[place]) for place in np.flatnonzero(near)]
    best = min(ends, key=lambda end: end.wcss)
    if len(points) <= SINGLE_MOVE_POINTS:
        (labels,) = improve_by_single_moves(
            points.coordinates, points.weights, best.labels[None], k
        )
        best = converge(points, mean_of_groups(points.coordinates, points.weights, labels, k))
    sizes = weight_of_groups(best.labels, points.weights, k)
    by_size = np.lexsort((*best.centroids.T[::-1], -sizes))
    return _End(best.centroids[by_size], sizes[by_size], best.wcss)


def _fit_by_passes(
    rows: DuckDBPyRelation,
    bounds: _Bounds,
    k: int,
    id_column: str,
    exact: bool,
    random_state: int,
) -> EngineFit:
    passes = _Passes.over(rows, bounds)
    sample = passes.sample(rows, id_column)
    sample.require_at_least(k)
    end = passes.run(rows, search(sample, k, random_state).centroids, exact=exact)
    return EngineFit(
        features=bounds.features,
        mean=passes.mean,
        scale=passes.scale,
        centroids=end.centroids,
        sizes=end.sizes,
        wcss=end.wcss,
        route="passes",
        passes=end.passes,
        points=len(sample),
    )


@dataclass(frozen=True)
class _Passes:
    """Lloyd's algorithm over all rows, in the engine."""

    rows: int
    sums: _FixedPoint
    mean: Floats
    scale: Floats
    total_sum_of_squares: float

    @classmethod
    def over(cls, rows: DuckDBPyRelation, bounds: _Bounds) -> _Passes:
        sums = _FixedPoint.of(bounds)
        return cls(bounds.rows, sums, *sums.moments(rows))

    def sample(self, rows: DuckDBPyRelation, id_column: str) -> WeightedPoints:
        """Return about SAMPLE_ROWS rows, chosen by a hash of the id."""
        share = min(SAMPLE_ROWS / self.rows, 1.0)
        hashed = f"({id_column} % {HASHED_IDS}) * {HASH_FACTOR} % {HASH_RANGE}"
        sampled = rows.filter(f"{hashed} < {math.ceil(share * HASH_RANGE)}")
        columns = sampled.project(", ".join(self.sums.features)).fetchnumpy()
        values = np.stack([columns[name].astype(float) for name in self.sums.features], axis=1)
        return WeightedPoints.from_rows((values - self.mean) / self.scale)

    def run(self, rows: DuckDBPyRelation, centroids: Floats, *, exact: bool) -> _End:
        """Run passes from some centroids until one lowers the WCSS by too little."""
        passes, wcss = 0, math.inf
        while passes < MOST_PASSES:
            passes += 1
            numbered = _numbered(
                rows, self.sums.columns(), self.sums.features, self.mean, self.scale, centroids
            )
            sizes, totals = self.sums.clusters(numbered, len(centroids))
            occupied = (sizes > 0)[:, None]
            means = totals / np.maximum(sizes, 1.0)[:, None] + self.sums.centre
            moved = np.where(occupied, (means - self.mean) / self.scale, centroids)
            before = wcss
            wcss = self.total_sum_of_squares - float(sizes @ (moved**2).sum(axis=1))
            is_fixed = np.array_equal(moved, centroids)
            centroids = moved
            if is_fixed or (not exact and before - wcss <= TOLERANCE * wcss):
                break
        by_size = np.lexsort((*centroids.T[::-1], -sizes))
        return _End(centroids[by_size], sizes[by_size], wcss, passes)


@dataclass(frozen=True)
class _FixedPoint:
    """Sums of columns as integers: exact, whatever the order of the rows.

    Attributes
    ----------
    centre : (d,) array that is subtracted first, so that squares stay small
    factor : (d,) array of powers of two that a value is multiplied by before it is rounded
    """

    features: tuple[str, ...]
    centre: Floats
    factor: Floats

    @classmethod
    def of(cls, bounds: _Bounds) -> _FixedPoint:
        centre = np.floor((bounds.minimum + bounds.maximum) / 2)
        reach = np.maximum(bounds.maximum - centre, centre - bounds.minimum)
        bits = FIXED_POINT_BITS - np.ceil(np.log2(np.maximum(reach, 2.0**-100)))
        return cls(bounds.features, centre, 2.0**bits)

    def moments(self, rows: DuckDBPyRelation) -> tuple[Floats, Floats, float]:
        """Return mean and scale of the features, and the scaled total sum of squares."""
        sums = [f"sum({value})" for value in self._values()]
        # A square has twice the bits, which is more than an integer of 64 holds.
        squares = [f"sum(cast({value} as hugeint) * {value})" for value in self._values()]
        ((counted, *found),) = rows.aggregate(", ".join(["count(*)", *sums, *squares])).fetchall()
        size = len(self.features)
        first = np.array([float(value) for value in found[:size]]) / self.factor / counted
        second = np.array(
            [
                (int(square) * counted - int(value) ** 2) / counted**2
                for value, square in zip(found[:size], found[size:], strict=True)
            ]
        )
        deviation = np.sqrt(second) / self.factor
        scale = np.where(deviation > 0, deviation, 1.0)
        return first + self.centre, scale, counted * float(((deviation / scale) ** 2).sum())

    def columns(self) -> list[str]:
        """Return the columns that `clusters` adds up."""
        return [f"{value} as value_{i}" for i, value in enumerate(self._values())]

    def clusters(self, numbered: DuckDBPyRelation, k: int) -> tuple[Floats, Floats]:
        """Return the (k,) sizes and the (k, d) sums from the centre of every cluster."""
        sums = [f"sum(value_{i})" for i in range(len(self.features))]
        columns = ", ".join(["segment_number", "count(*)", *sums])
        sizes, totals = np.zeros(k), np.zeros((k, len(self.features)))
        for number, count, *parts in numbered.aggregate(columns, "segment_number").fetchall():
            sizes[number] = count
            totals[number] = np.array([float(part) for part in parts]) / self.factor
        return sizes, totals

    def _values(self) -> list[str]:
        return [
            f"cast(round(({name} - {_constant(centre)}) * {_constant(factor)}) as bigint)"
            for name, centre, factor in zip(self.features, self.centre, self.factor, strict=True)
        ]


def _numbered(
    rows: DuckDBPyRelation,
    kept: Sequence[str],
    features: Sequence[str],
    mean: Floats,
    scale: Floats,
    centroids: Floats,
) -> DuckDBPyRelation:
    """Return some columns and the number of the nearest centroid, the lowest on a tie.

    The squared distance without the row's own square is linear in the features, so scaling and
    centroids fold into one factor per feature and one constant.
    """
    factors = -2 * centroids / scale
    constants = (centroids**2).sum(axis=1) - factors @ mean
    names = [f"distance_{number}" for number in range(len(centroids))]
    linear = [
        " + ".join(
            [
                _constant(constant),
                *(f"{_constant(a)} * {name}" for a, name in zip(row, features, strict=True)),
            ]
        )
        for row, constant in zip(factors, constants, strict=True)
    ]
    distances = [f"{sql} as {name}" for sql, name in zip(linear, names, strict=True)]
    columns = [column.rpartition(" as ")[2] for column in kept]
    numbered = rows.project(", ".join([*kept, *distances]))
    return numbered.project(", ".join([*columns, f"{_least_number(names)} as segment_number"]))


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


def _constant(value: float) -> str:
    return f"cast('{float(value)!r}' as double)"
