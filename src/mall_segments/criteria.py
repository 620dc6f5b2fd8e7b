"""Internal criteria of a partition, on weighted points.

Each equals scikit-learn's criterion on the unreduced customers; scikit-learn's own functions take
no weights.
"""

from __future__ import annotations

import numpy as np

from mall_segments.lloyd import Floats, Integers
from mall_segments.weighted_points import WeightedPoints, mean_of_groups, weight_of_groups

SILHOUETTE_POINTS = 8_192
SILHOUETTE_SAMPLE = 2_048
BLOCK = 1_024


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
    k = len(centroids)
    if k < 2:
        return None
    distance = np.sqrt(((points.coordinates - centroids[labels]) ** 2).sum(axis=1))
    spread = mean_of_groups(distance[:, None], points.weights, labels, k)[:, 0]
    separation = np.sqrt(((centroids[:, None] - centroids[None]) ** 2).sum(axis=2))
    # As in scikit-learn, clusters around one centre are no worst case; nor is a cluster its own.
    separation[separation == 0] = np.inf
    return float(((spread[:, None] + spread[None]) / separation).max(axis=1).mean())


def silhouettes(points: WeightedPoints, partitions: list[Integers]) -> list[float | None]:
    """Mean silhouette over all customers of several partitions of the same points.

    Parameters
    ----------
    points : WeightedPoints
        m points. Up to SILHOUETTE_POINTS of them the value is exact; beyond, it is the mean of
        SILHOUETTE_SAMPLE customers spread evenly over the points, each measured against all.
    partitions : list of (m,) arrays of cluster numbers

    Returns
    -------
    list of float or None
        None for a partition into one cluster.

    Notes
    -----
    Customers on one point are neighbours at distance 0. A customer alone in its cluster scores 0.
    Source: Rousseeuw (1987), Silhouettes: a graphical aid.
    """
    evaluated, evaluated_weight = _evaluated_points(points)
    sums = _distance_sums(points, evaluated, partitions)
    means: list[float | None] = []
    for labels, own in zip(partitions, sums, strict=True):
        size = weight_of_groups(labels, points.weights, own.shape[1])
        value, _ = _silhouette_of_rows(own, labels[evaluated], size)
        mean = float(evaluated_weight @ value / evaluated_weight.sum())
        means.append(mean if len(size) > 1 else None)
    return means


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
    Source: Rousseeuw (1987), Silhouettes: a graphical aid.

    Examples
    --------
    >>> points = WeightedPoints(np.array([[0.0], [1.0], [5.0], [9.0]]), np.ones(4))
    >>> value, neighbour = point_silhouettes(points, np.array([0, 0, 1, 2]), np.array([0, 2]))
    >>> value.tolist(), neighbour.tolist()
    ([0.8, 0.0], [1, 2])
    """
    (sums,) = _distance_sums(points, evaluated, [labels])
    size = weight_of_groups(labels, points.weights, sums.shape[1])
    return _silhouette_of_rows(sums, labels[evaluated], size)


def _distance_sums(
    points: WeightedPoints, evaluated: Integers, partitions: list[Integers]
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


def _evaluated_points(points: WeightedPoints) -> tuple[Integers, Floats]:
    if len(points) <= SILHOUETTE_POINTS:
        return np.arange(len(points)), points.weights
    mass = np.cumsum(points.weights)
    position = (np.arange(SILHOUETTE_SAMPLE) + 0.5) / SILHOUETTE_SAMPLE
    index, times = np.unique(np.searchsorted(mass, mass[-1] * position), return_counts=True)
    return index, times.astype(float)


def _distances(some: Floats, others: Floats) -> Floats:
    squared = np.zeros((len(some), len(others)))
    for feature in range(some.shape[1]):
        difference = some[:, feature, None] - others[None, :, feature]
        squared += difference * difference
    return np.sqrt(squared)


def _silhouette_of_rows(
    distance_sums: Floats, labels: Integers, size: Floats
) -> tuple[Floats, Integers]:
    rows = np.arange(len(labels))
    own_size = size[labels]
    within = distance_sums[rows, labels] / np.maximum(own_size - 1, 1)
    between = distance_sums / size
    between[rows, labels] = np.inf
    neighbour = between.argmin(axis=1)
    nearest = between[rows, neighbour]
    largest = np.maximum(within, nearest)
    defined = (own_size > 1) & (largest > 0) & np.isfinite(nearest)
    value = np.where(defined, (nearest - within) / np.where(defined, largest, 1.0), 0.0)
    return value, neighbour
