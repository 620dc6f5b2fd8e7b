"""K-Means on any number of rows of a DuckDB relation, at little more than the cost of reading them.

Two exact routes, chosen by what the rows are:

- *points*: where feature vectors repeat, one `group by` collects them with their weights, and the
  fit sees only these. It has exactly the objective of all rows.
- *passes*: where they do not, a search on a sample finds where to start, and Lloyd's algorithm
  itself runs in the engine: each pass assigns every row and adds up the clusters. Its centroids and
  its WCSS are those of all rows; it ends where the next step would lower the WCSS by less than a
  tolerance.

Nothing as long as the relation enters Python, and the labels are a lazy relation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mall_segments.assignment import Scaling
from mall_segments.engine_passes import End, FixedPoint, Passes, nearest
from mall_segments.engine_points import are_few, read_columns, standardised, vectors_at_most
from mall_segments.errors import TooFewPointsError
from mall_segments.kmeans import fit_levels
from mall_segments.levels import Levels
from mall_segments.lloyd import Floats, Integers, nearest_centroid
from mall_segments.threads import on_one_thread
from mall_segments.weighted_points import WeightedPoints

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

# Whole numbers on a lattice of up to 2^22 places are counted in an array of them, 40 MB a thread.
COUNTED_BITS = 22
INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"})
LARGEST_INTEGER = 1 << 31
# Rows of the sample that the search of the other route sees.
SAMPLE_ROWS = 65_536
# Knuth's multiplicative hash (The Art of Computer Programming, 3, 6.4): ids that follow one another
# are spread over 2^32 by exact arithmetic, the same on every engine.
HASH_FACTOR = 2_654_435_761
HASH_RANGE = 1 << 32
HASHED_IDS = 1 << 31

Route = Literal["points", "passes"]


@dataclass(frozen=True)
class EngineFit:
    """A partition of all rows of a relation.

    Attributes
    ----------
    scaling : d Scalings, in the order of the columns of the centroids
    centroids : (k, d) array, scaled; clusters by size, the largest first
    sizes : (k,) array, rows per cluster
    wcss : float, of all rows, in squared standard deviations
    route : "points" or "passes"
    passes : int, passes over all rows, 0 where the points were enough
    points : int, distinct vectors, or rows of the sample, that the search saw
    """

    scaling: tuple[Scaling, ...]
    centroids: Floats
    sizes: Floats
    wcss: float
    route: Route
    passes: int
    points: int

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(self.centroids)


@on_one_thread
def segment_relation(
    session: DuckDBPyConnection,
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
    session : DuckDB connection of the relation
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
        Of the customers as the relation assigns them.
    relation : lazy, `id_column` and `segment_number` (0 to k - 1)

    Raises
    ------
    TooFewPointsError

    Examples
    --------
    >>> import duckdb
    >>> session = duckdb.connect()
    >>> rows = session.sql("select i as customer_id, i // 5 * 9 + i % 5 as age from range(9) t(i)")
    >>> fit, labels = segment_relation(session, rows, ["age"], 2)
    >>> fit.route, fit.sizes.tolist(), labels.order("customer_id").fetchall()[-1]
    ('points', [5.0, 4.0], (8, 1))
    """
    seen = _Seen.of(session, rows, features, id_column)
    seen.levels.points.require_at_least(k)
    fit, _ = seen.fit(k, exact=exact, random_state=random_state)
    return fit, assign_relation(rows, fit, id_column=id_column)


def assign_relation(
    rows: DuckDBPyRelation, fit: EngineFit, *, id_column: str = "customer_id"
) -> DuckDBPyRelation:
    """Return the lazy relation of `id_column` and `segment_number`, that of the nearest centroid.

    Parameters are those of `segment_relation`.
    """
    return nearest(rows, [id_column], fit.scaling, fit.centroids)


@dataclass(frozen=True)
class SweepRow:
    """What is known of one k.

    Attributes
    ----------
    fit : EngineFit
    silhouette : float or None, mean over all rows; None for k = 1
    silhouette_standard_error : float or None, 0 where the silhouette is exact
    """

    fit: EngineFit
    silhouette: float | None
    silhouette_standard_error: float | None


@on_one_thread
def sweep_relation(
    session: DuckDBPyConnection,
    rows: DuckDBPyRelation,
    features: Sequence[str],
    k_max: int,
    *,
    id_column: str = "customer_id",
    exact: bool = False,
    random_state: int = 0,
) -> list[SweepRow]:
    """Fit K-Means for every k from 1 to k_max and judge each.

    Parameters are those of `segment_relation`; the fits are its fits.

    Notes
    -----
    On the route of passes the silhouette is that of the sample that the search saw.
    """
    from mall_segments.criteria import silhouettes

    seen = _Seen.of(session, rows, features, id_column)
    seen.levels.points.require_at_least(k_max)
    fits, labels = zip(
        *(seen.fit(k, exact=exact, random_state=random_state) for k in range(1, k_max + 1)),
        strict=True,
    )
    judged = silhouettes(seen.levels.points, labels, is_sample=seen.passes is not None)
    return [
        SweepRow(fit, one.mean if one else None, one.standard_error if one else None)
        for fit, one in zip(fits, judged, strict=True)
    ]


@dataclass(frozen=True)
class _Seen:
    """What the search sees of the rows: their points, or a sample and the way to pass over all."""

    levels: Levels
    scaling: tuple[Scaling, ...]
    passes: Passes | None

    @classmethod
    def of(
        cls,
        session: DuckDBPyConnection,
        rows: DuckDBPyRelation,
        features: Sequence[str],
        id_column: str,
    ) -> _Seen:
        bounds = _Bounds.read(rows, features)
        if are_few(bounds.vectors_at_most(rows), bounds.rows):
            points, scaling = _read_points(session, rows, bounds)
            return cls(Levels.of(points), scaling, None)
        scaling = bounds.scaling(rows)
        sample = _sample(rows, bounds, scaling, id_column)
        passes = Passes.over(rows, scaling, weight="1")
        return cls(Levels.of(sample), scaling, passes)

    def fit(self, k: int, *, exact: bool, random_state: int) -> tuple[EngineFit, Integers]:
        """Return the fit to all rows, and the cluster of each of the points."""
        points = self.levels.points
        found = fit_levels(self.levels, k, random_state)
        end, labels = End(found.centroids, found.cluster_weights, found.wcss), found.labels
        if self.passes:
            end = self.passes.run(end.centroids, exact=exact)
            labels, _ = nearest_centroid(points.coordinates, end.centroids)
        fit = EngineFit(
            scaling=self.scaling,
            centroids=end.centroids,
            sizes=end.sizes,
            wcss=end.wcss,
            route="passes" if self.passes else "points",
            passes=end.passes,
            points=len(points),
        )
        return fit, labels


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
        kinds = dict(zip(rows.columns, map(str, rows.types), strict=True))
        of_each = [
            f"min({name}), max({name}), "
            + ("true" if kinds[name] in INTEGERS else f"bool_and({name} = floor({name}))")
            for name in features
        ]
        counted, *found = rows.aggregate(f"count(*), {', '.join(of_each)}").fetchall()[0]
        if not counted:
            raise TooFewPointsError(found=0, needed=1)
        low, high = np.array(found[0::3], dtype=float), np.array(found[1::3], dtype=float)
        return cls(tuple(features), counted, low, high, all(found[2::3]))

    @property
    def is_counted(self) -> bool:
        """Whether an array has room for all vectors of whole numbers between the bounds."""
        bits = np.ceil(np.log2(self.maximum - self.minimum + 2)).sum()
        reach = max(np.abs(self.minimum).max(), np.abs(self.maximum).max())
        return self.has_whole_numbers and bool(bits <= COUNTED_BITS and reach < LARGEST_INTEGER)

    def vectors_at_most(self, rows: DuckDBPyRelation) -> float:
        """Return an upper bound of the distinct vectors if it is small, else an estimate."""
        places = float(np.prod(self.maximum - self.minimum + 1))
        if self.is_counted and are_few(places, self.rows):
            return places
        return vectors_at_most(rows, self.features, self.rows)

    def scaling(self, rows: DuckDBPyRelation) -> tuple[Scaling, ...]:
        """Return the standardisation of all rows."""
        sums = FixedPoint.of(self.features, self.minimum, self.maximum)
        return self.scaled_by(*sums.moments(rows))

    def scaled_by(self, mean: Floats, deviation: Floats) -> tuple[Scaling, ...]:
        """Return the standardisation by (d,) moments; that of a constant feature is by 1."""
        # Its deviation is only rounding.
        scale = np.where(self.maximum > self.minimum, deviation, 1.0)
        columns = (mean, scale, self.minimum, self.maximum)
        rows = np.stack(columns, axis=1).tolist()
        return tuple(Scaling(name, *row) for name, row in zip(self.features, rows, strict=True))


def _read_points(
    session: DuckDBPyConnection, rows: DuckDBPyRelation, bounds: _Bounds
) -> tuple[WeightedPoints, tuple[Scaling, ...]]:
    """Return the distinct vectors, scaled, and how."""
    if bounds.is_counted:
        values, weights = _count(session, rows, bounds)
    else:
        columns = read_columns(rows, bounds.features, weight="1")
        weights = columns.pop("weight")
        values = np.stack(list(columns.values()), axis=1)
    mean = weights @ values / weights.sum()
    deviation = np.sqrt(weights @ (values - mean) ** 2 / weights.sum())
    scaling = bounds.scaled_by(mean, deviation)
    scale = np.array([one.scale for one in scaling])
    return WeightedPoints((values - mean) / scale, weights), scaling


def _count(
    session: DuckDBPyConnection, rows: DuckDBPyRelation, bounds: _Bounds
) -> tuple[Floats, Floats]:
    """Return the distinct vectors of whole numbers in order, and the rows on each.

    Each vector is one number, its place on the lattice between the bounds.
    """
    lengths = (bounds.maximum - bounds.minimum + 1).astype(int).tolist()
    place = "0"
    for name, low, length in zip(bounds.features, bounds.minimum, lengths, strict=True):
        place = f"({place}) * {length} + (cast({name} as integer) - ({int(low)}))"
    with _counted_in_arrays(session):
        counts = rows.aggregate(f"{place} as place, count(*) as weight", place).fetchnumpy()
    in_order = np.argsort(counts["place"])
    places = np.unravel_index(counts["place"][in_order], lengths)
    values = np.stack(places, axis=1).astype(float) + bounds.minimum
    return values, counts["weight"][in_order].astype(float)


@contextmanager
def _counted_in_arrays(session: DuckDBPyConnection) -> Iterator[None]:
    """Let the engine group by an array instead of a hash table where it knows the bounds."""
    setting = "perfect_ht_threshold"
    ((before,),) = session.execute(f"select current_setting('{setting}')").fetchall()
    session.execute(f"set {setting} = {COUNTED_BITS}")
    try:
        yield
    finally:
        session.execute(f"set {setting} = {before}")


def _sample(
    rows: DuckDBPyRelation, bounds: _Bounds, scaling: Sequence[Scaling], id_column: str
) -> WeightedPoints:
    """Return about SAMPLE_ROWS rows, chosen by a hash of the id."""
    share = min(SAMPLE_ROWS / bounds.rows, 1.0)
    hashed = f"({id_column} % {HASHED_IDS}) * {HASH_FACTOR} % {HASH_RANGE}"
    sampled = rows.filter(f"{hashed} < {math.ceil(share * HASH_RANGE)}")
    columns = sampled.project(", ".join(bounds.features)).fetchnumpy()
    return WeightedPoints.from_rows(standardised(columns, scaling))
