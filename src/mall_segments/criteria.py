"""Internal criteria of a partition, on weighted points.

Each equals scikit-learn's criterion on the unreduced customers; scikit-learn's own functions take
no weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mall_segments.lattice import Lattice
from mall_segments.lloyd import Floats, Integers
from mall_segments.weighted_points import WeightedPoints, mean_of_groups, weight_of_groups

SILHOUETTE_POINTS = 8_192
SILHOUETTE_SAMPLE = 2_048
SMALLEST_SAMPLE = 64
# A distance between two points takes about 10 ns, a padded cell of a lattice half, so 10 s at most.
SILHOUETTE_WORK = 1 << 30
# The transforms of a lattice of this size take about 130 MB.
LATTICE_CELLS = 1 << 24
BLOCK = 1_024

# The clusters of a partition in any order, each with the sums of distances to its customers, which
# whoever takes them may overwrite.
ClusterSums = Iterable[tuple[int, Floats]]


@dataclass(frozen=True)
class Silhouette:
    """Mean silhouette over all customers, and the standard error of it, 0 where it is exact."""

    mean: float
    standard_error: float


def calinski_harabasz(points: WeightedPoints, wcss: float, k: int) -> float | None:
    """Ratio of between- to within-cluster variance, or None where it is undefined (k = 1, k = n).

    Source: Calinski and Harabasz (1974), A dendrite method for cluster analysis.
    """
    spare = points.customers - k
    if k < 2 or spare <= 0 or wcss <= 0:
        return None
    return float((points.total_sum_of_squares - wcss) / (k - 1) / (wcss / spare))


def davies_bouldin(points: WeightedPoints, labels: Integers, centroids: Floats) -> float | None:
    """Mean over clusters of the worst ratio of spreads to separation, or None for k = 1.

    Source: Davies and Bouldin (1979), A cluster separation measure.
    """
    distance = np.sqrt(((points.coordinates - centroids[labels]) ** 2).sum(axis=1))
    spread = mean_of_groups(distance[:, None], points.weights, labels, len(centroids))[:, 0]
    return davies_bouldin_of_spread(spread, centroids)


def davies_bouldin_of_spread(spread: Floats, centroids: Floats) -> float | None:
    """`davies_bouldin` from the mean distance of the customers of each cluster to its centroid."""
    if len(centroids) < 2:
        return None
    separation = np.sqrt(((centroids[:, None] - centroids[None]) ** 2).sum(axis=2))
    # As in scikit-learn, clusters around one centre are no worst case; nor is a cluster its own.
    separation[separation == 0] = np.inf
    return float(((spread[:, None] + spread[None]) / separation).max(axis=1).mean())


def silhouettes(
    points: WeightedPoints, partitions: Sequence[Integers], *, is_sample: bool = False
) -> list[Silhouette | None]:
    """Mean silhouette over all customers of several partitions of the same points.

    Parameters
    ----------
    points : WeightedPoints
        m points.
    partitions : sequence of (m,) arrays
        Clusters 0..k-1 each, none of them empty.
    is_sample : bool
        Whether the points are a random sample of more customers, so that no value is exact.

    Returns
    -------
    list of Silhouette or None
        None for a partition into one cluster.

    Notes
    -----
    Up to SILHOUETTE_POINTS points the value is exact. Beyond, it is exact where the points lie on a
    lattice of at most LATTICE_CELLS padded cells and these, times the groups to transform, are at
    most SILHOUETTE_WORK; by convolution, or by the distances of all pairs if they are fewer. On
    other points it is the mean of SILHOUETTE_SAMPLE customers spread evenly over the points, each
    measured against all; of fewer where that would take more than SILHOUETTE_WORK distances, but
    SMALLEST_SAMPLE at least. Its standard error is that of a simple random sample, which an even
    spread seldom exceeds.

    Customers on one point are neighbours at distance 0. A customer alone in its cluster scores 0.
    Source: Rousseeuw (1987), Silhouettes: a graphical aid.

    Examples
    --------
    >>> points = WeightedPoints(np.array([[0.0], [1.0], [5.0]]), np.array([1.0, 1.0, 2.0]))
    >>> silhouettes(points, [np.array([0, 0, 1]), np.array([0, 0, 0])])
    [Silhouette(mean=0.8875, standard_error=0.0), None]
    """
    evaluated, times = np.arange(len(points)), points.weights
    is_exact, lattice = not is_sample, None
    if len(points) > SILHOUETTE_POINTS:
        groups = 1 + sum(int(labels.max()) for labels in partitions)
        lattice = Lattice.of(points, min(LATTICE_CELLS, SILHOUETTE_WORK // groups))
        if lattice is None:
            is_exact = False
            evaluated, times = _sample(points)
        elif lattice.padded_cells * groups > len(points) ** 2:
            lattice = None
    found: list[Silhouette | None] = []
    for labels, sums in zip(
        partitions, _distance_sums(points, evaluated, partitions, lattice), strict=True
    ):
        size = weight_of_groups(labels, points.weights, int(labels.max()) + 1)
        if len(size) == 1:
            found.append(None)
            continue
        value, _ = _silhouette_of_rows(sums, labels[evaluated], size)
        found.append(_mean(value, times, is_exact=is_exact))
    return found


def point_silhouettes(
    points: WeightedPoints, labels: Integers, evaluated: Integers
) -> tuple[Floats, Integers]:
    """Return the silhouette of some points, each measured against all customers.

    Parameters
    ----------
    points : WeightedPoints
        m points.
    labels : (m,) array
        Clusters 0..k-1, k > 1, none of them empty.
    evaluated : (e,) array
        Which of the points.

    Returns
    -------
    silhouette : (e,) array
        Of a customer on the point; 0 for one who is alone in the cluster.
    neighbour : (e,) array
        The cluster that b(i) is the mean distance to, the nearest but the own.

    Notes
    -----
    By convolution on the lattice of the points where that is cheaper than all distances.
    Source: Rousseeuw (1987), Silhouettes: a graphical aid.

    Examples
    --------
    >>> points = WeightedPoints(np.array([[0.0], [1.0], [5.0], [9.0]]), np.ones(4))
    >>> value, neighbour = point_silhouettes(points, np.array([0, 0, 1, 2]), np.array([0, 2]))
    >>> value.tolist(), neighbour.tolist()
    ([0.8, 0.0], [1, 2])
    """
    size = weight_of_groups(labels, points.weights, int(labels.max()) + 1)
    pairs, lattice = len(points) * len(evaluated), None
    if pairs > SILHOUETTE_POINTS**2:
        lattice = Lattice.of(points, min(LATTICE_CELLS, pairs // len(size)))
    (sums,) = _distance_sums(points, evaluated, [labels], lattice)
    return _silhouette_of_rows(sums, labels[evaluated], size)


def _distance_sums(
    points: WeightedPoints,
    evaluated: Integers,
    partitions: Sequence[Integers],
    lattice: Lattice | None,
) -> Iterator[ClusterSums]:
    """Yield for each partition the distances of the evaluated points to all customers."""
    if lattice is None:
        for sums in _direct_sums(points, evaluated, partitions):
            yield enumerate(sums.T)
        return
    everybody = lattice.distance_sums(np.arange(len(points)))
    for labels in partitions:
        yield _lattice_sums(lattice, points, evaluated, labels, everybody)


def _direct_sums(
    points: WeightedPoints, evaluated: Integers, partitions: Sequence[Integers]
) -> list[Floats]:
    """Return for each partition the (evaluated, k) distances to all customers of each cluster.

    The work goes block by block, each small enough for the processor's cache.
    """
    clusters = [int(labels.max()) + 1 for labels in partitions]
    sums = np.zeros((len(evaluated), sum(clusters)))
    for block in np.array_split(np.arange(len(points)), len(points) // BLOCK + 1):
        membership = np.hstack(
            [
                (labels[block, None] == np.arange(k)) * points.weights[block, None]
                for labels, k in zip(partitions, clusters, strict=True)
            ]
        )
        for rows in np.array_split(np.arange(len(evaluated)), len(evaluated) // BLOCK + 1):
            some = points.coordinates[evaluated[rows]]
            sums[rows] += _distances(some, points.coordinates[block]) @ membership
    return np.split(sums, np.cumsum(clusters)[:-1], axis=1)


def _lattice_sums(
    lattice: Lattice,
    points: WeightedPoints,
    evaluated: Integers,
    labels: Integers,
    everybody: Floats,
) -> ClusterSums:
    """Yield the clusters with their sums.

    The largest is what the others leave of everybody, and large enough to lose nothing by that.
    """
    size = weight_of_groups(labels, points.weights, int(labels.max()) + 1)
    rest = everybody[evaluated]
    *others, largest = np.argsort(size, kind="stable").tolist()
    for cluster in others:
        sums = lattice.distance_sums(np.flatnonzero(labels == cluster))
        if len(evaluated) < len(sums):
            sums = sums[evaluated]
        rest -= sums
        yield cluster, sums
    yield largest, np.maximum(rest, 0.0)


def _sample(points: WeightedPoints) -> tuple[Integers, Floats]:
    """Return customers spread evenly over the ordered points, and how many of them are on each."""
    size = min(SILHOUETTE_SAMPLE, max(SILHOUETTE_WORK // len(points), SMALLEST_SAMPLE))
    mass = np.cumsum(points.weights)
    position = (np.arange(size) + 0.5) / size
    index, times = np.unique(np.searchsorted(mass, mass[-1] * position), return_counts=True)
    return index, times.astype(float)


def _mean(value: Floats, times: Floats, *, is_exact: bool) -> Silhouette:
    customers = times.sum()
    mean = float(times @ value / customers)
    if is_exact:
        return Silhouette(mean, 0.0)
    variance = times @ (value - mean) ** 2 / (customers - 1)
    return Silhouette(mean, float(np.sqrt(variance / customers)))


def _distances(some: Floats, others: Floats) -> Floats:
    squared = np.zeros((len(some), len(others)))
    for feature in range(some.shape[1]):
        difference = some[:, feature, None] - others[None, :, feature]
        squared += difference * difference
    return np.sqrt(squared)


def _silhouette_of_rows(
    distance_sums: ClusterSums, labels: Integers, size: Floats
) -> tuple[Floats, Integers]:
    within, nearest = np.zeros(len(labels)), np.full(len(labels), np.inf)
    neighbour = np.zeros(len(labels), dtype=np.intp)
    for cluster, sums in distance_sums:
        own = np.flatnonzero(labels == cluster)
        within[own] = sums[own] / max(size[cluster] - 1, 1)
        between = np.divide(sums, size[cluster], out=sums)
        between[own] = np.inf
        neighbour[between < nearest] = cluster
        np.minimum(nearest, between, out=nearest)
    largest = np.maximum(within, nearest)
    defined = (size[labels] > 1) & (largest > 0) & np.isfinite(nearest)
    value = np.where(defined, (nearest - within) / np.where(defined, largest, 1.0), 0.0)
    return value, neighbour
