"""Internal criteria of a partition, on weighted points.

Each equals scikit-learn's criterion on the unreduced customers; scikit-learn's own functions take
no weights.
"""

from __future__ import annotations

import numpy as np

from mall_segments.lloyd import Floats, Integers
from mall_segments.weighted_points import WeightedPoints, mean_of_groups

SILHOUETTE_POINTS = 8_192
DISTANCES_AT_ONCE = 4_000_000


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
    np.fill_diagonal(separation, np.inf)
    return float(((spread[:, None] + spread[None]) / separation).max(axis=1).mean())


def silhouettes(points: WeightedPoints, partitions: list[Integers]) -> list[float | None]:
    """Mean silhouette over all customers of several partitions of the same points.

    Parameters
    ----------
    points : WeightedPoints
        m points. Up to SILHOUETTE_POINTS of them the value is exact; beyond, it is the mean of that
        many customers spread evenly over the points, each measured against all customers.
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
    membership = [_membership(points, labels) for labels in partitions]
    first_column = np.cumsum([0, *(part.shape[1] for part in membership)])
    all_membership = np.hstack(membership)
    evaluated, evaluated_weight = _evaluated_points(points)
    total = np.zeros(len(partitions))
    for rows in np.array_split(evaluated, len(evaluated) * len(points) // DISTANCES_AT_ONCE + 1):
        distance_sums = _distances(points.coordinates[rows], points.coordinates) @ all_membership
        for index, labels in enumerate(partitions):
            own = distance_sums[:, first_column[index] : first_column[index + 1]]
            value = _silhouette_of_rows(own, labels[rows], membership[index].sum(axis=0))
            total[index] += evaluated_weight[np.searchsorted(evaluated, rows)] @ value
    mean = total / evaluated_weight.sum()
    return [
        float(value) if part.shape[1] > 1 else None
        for value, part in zip(mean, membership, strict=True)
    ]


def _membership(points: WeightedPoints, labels: Integers) -> Floats:
    return (labels[:, None] == np.arange(labels.max() + 1)) * points.weights[:, None]


def _evaluated_points(points: WeightedPoints) -> tuple[Integers, Floats]:
    if len(points) <= SILHOUETTE_POINTS:
        return np.arange(len(points)), points.weights
    mass = np.cumsum(points.weights)
    position = (np.arange(SILHOUETTE_POINTS) + 0.5) / SILHOUETTE_POINTS
    index, times = np.unique(np.searchsorted(mass, mass[-1] * position), return_counts=True)
    return index, times.astype(float)


def _distances(some: Floats, others: Floats) -> Floats:
    squared = np.zeros((len(some), len(others)))
    for feature in range(some.shape[1]):
        difference = some[:, feature, None] - others[None, :, feature]
        squared += difference * difference
    return np.sqrt(squared)


def _silhouette_of_rows(distance_sums: Floats, labels: Integers, size: Floats) -> Floats:
    rows = np.arange(len(labels))
    own_size = size[labels]
    within = distance_sums[rows, labels] / np.maximum(own_size - 1, 1)
    between = distance_sums / size
    between[rows, labels] = np.inf
    nearest = between.min(axis=1)
    largest = np.maximum(within, nearest)
    defined = (own_size > 1) & (largest > 0) & np.isfinite(nearest)
    return np.where(defined, (nearest - within) / np.where(defined, largest, 1.0), 0.0)
