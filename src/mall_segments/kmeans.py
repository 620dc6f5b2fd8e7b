"""Weighted K-Means that reaches the best known objective whatever the seed.

Two independent searches compete for every k. The incremental search has no randomness: it starts
from the best partition into k - 1 clusters plus one point as the new centre, for every point
(global K-Means, Likas, Vlassis and Verbeek 2003). The seeded search is scikit-learn's KMeans from
k-means++ starts. Both end in Hartigan and Wong's single-point moves, and the lower objective wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mall_segments.hartigan import improve_by_single_moves
from mall_segments.levels import SAME_WCSS, SEARCH_POINTS, Levels
from mall_segments.libraries import load_libraries
from mall_segments.lloyd import Floats, Integers, lloyd, nearest_centroid
from mall_segments.weighted_points import (
    WeightedPoints,
    largest_first,
    mean_of_groups,
    weight_of_groups,
)

if TYPE_CHECKING:
    from sklearn.cluster import KMeans

INCREMENTAL_STARTS = 256
INCREMENTAL_BUDGET = 60_000
SEEDED_STARTS = 20
MAX_ITERATIONS = 1_000


@dataclass(frozen=True)
class KMeansFit:
    """A partition of weighted points that Lloyd's algorithm does not change any more.

    Attributes
    ----------
    centroids : (k, d) array, in the unit of the points
    labels : (m,) array, cluster 0..k-1 of each point
    cluster_weights : (k,) array, customers per cluster, largest first
    wcss : float, weighted within-cluster sum of squares (inertia)
    restarts : int, starts of the incremental search
    restarts_at_best : int, how many of them ended at this objective
    runner_up_wcss : float or None, objective of the second best partition that the search ended in
    runner_up_customers : float or None, customers that it puts elsewhere

    Notes
    -----
    With at most SEARCH_POINTS points no single move improves it either; more of them are coarsened
    for the search, and all of them take part in the last fit (see `levels`).
    Clusters are numbered by size, largest first, then by their centroids, so that neither the seed
    nor the order of the rows shows in the numbers.
    """

    centroids: Floats
    labels: Integers
    cluster_weights: Floats
    wcss: float
    restarts: int
    restarts_at_best: int
    runner_up_wcss: float | None = None
    runner_up_customers: float | None = None

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(self.centroids)


def fit_kmeans(points: WeightedPoints, k: int, random_state: int = 0) -> KMeansFit:
    """Fit K-Means with k clusters.

    Parameters
    ----------
    points : WeightedPoints
        m distinct points in d scaled features.
    k : int
        Number of clusters, 1 <= k <= m.
    random_state : int
        Seed of scikit-learn's starts.

    Raises
    ------
    TooFewPointsError
        If there are fewer than k distinct points.

    Examples
    --------
    >>> points = WeightedPoints.from_rows(np.array([[0.0], [1.0], [9.0], [10.0], [10.0]]))
    >>> fit = fit_kmeans(points, 2)
    >>> fit.cluster_weights.tolist(), round(fit.wcss, 3)
    ([3.0, 2.0], 1.167)
    """
    return fit_kmeans_path(points, k, random_state)[-1]


def fit_kmeans_path(points: WeightedPoints, k_max: int, random_state: int = 0) -> list[KMeansFit]:
    """Fit K-Means for every k from 1 to k_max, each from the one before.

    Parameters are those of `fit_kmeans`. Returns the fits in the order of k.
    """
    points.require_at_least(k_max)
    levels = Levels.of(points)
    search = levels.for_search(k_max)
    start = search.mean[None]
    found = _Found(start, restarts=1, restarts_at_best=1, ends=[start], objectives=np.zeros(1))
    path = [_finish(levels, found, random_state)]
    for _ in range(2, k_max + 1):
        found = _search(search, found.centroids, random_state)
        path.append(_finish(levels, found, random_state))
    return path


@dataclass(frozen=True)
class _Found:
    """Where a search ended: the best centroids, and all (k, d) ends with their objectives."""

    centroids: Floats
    restarts: int
    restarts_at_best: int
    ends: list[Floats]
    objectives: Floats
    runner_up_wcss: float | None = None
    runner_up_customers: float | None = None


def _search(points: WeightedPoints, previous: Floats, random_state: int) -> _Found:
    starts = _incremental_starts(points, previous)
    k = starts.shape[1]
    incremental = lloyd(points.coordinates, points.weights, starts).labels
    seeded = _seeded(points, k, random_state).astype(np.intp)
    partitions, origin = np.unique(np.vstack([incremental, seeded]), axis=0, return_inverse=True)
    improved = improve_by_single_moves(points.coordinates, points.weights, partitions, k)
    centroids = [_centroids_of(points, labels, k) for labels in improved]
    objective = np.array([_wcss(points, *pair) for pair in zip(improved, centroids, strict=True)])
    best = int(objective.argmin())
    others = objective > objective[best] * (1 + SAME_WCSS)
    runner_up = int(np.where(others, objective, np.inf).argmin()) if others.any() else None
    return _Found(
        centroids=centroids[best],
        restarts=len(starts),
        restarts_at_best=int((~others[origin.ravel()[: len(starts)]]).sum()),
        ends=centroids,
        objectives=objective,
        runner_up_wcss=None if runner_up is None else float(objective[runner_up]),
        runner_up_customers=None
        if runner_up is None
        else _customers_elsewhere(points, improved[best], improved[runner_up], k),
    )


def _customers_elsewhere(
    points: WeightedPoints, labels: Integers, other_labels: Integers, k: int
) -> float:
    """Return the customers in another cluster once the clusters are matched as well as can be."""
    load_libraries()
    from scipy.optimize import linear_sum_assignment

    overlap = np.bincount(labels * k + other_labels, points.weights, k * k).reshape(k, k)
    return float(points.customers - overlap[linear_sum_assignment(-overlap)].sum())


def _incremental_starts(points: WeightedPoints, previous: Floats) -> Floats:
    """Return the previous centroids plus one point each, shape (starts, k, d).

    With more points than starts, the points are spread evenly over the current objective.
    """
    wanted = min(INCREMENTAL_STARTS, max(INCREMENTAL_BUDGET // len(points), 1))
    index = np.arange(len(points))
    if len(points) > wanted:
        _, squared = nearest_centroid(points.coordinates, previous)
        mass = np.cumsum(points.weights * squared)
        index = np.unique(np.searchsorted(mass, mass[-1] * (np.arange(wanted) + 0.5) / wanted))
    added = points.coordinates[index]
    kept = np.broadcast_to(previous, (len(added), *previous.shape))
    return np.concatenate([kept, added[:, None, :]], axis=1)


def _seeded(points: WeightedPoints, k: int, random_state: int) -> Integers:
    """Return the partition of scikit-learn's best start."""
    return _scikit_learn(points, k, "k-means++", SEEDED_STARTS, random_state).labels_


def _finish(levels: Levels, found: _Found, random_state: int) -> KMeansFit:
    points, k = levels.points, len(found.centroids)
    if len(points) > SEARCH_POINTS:
        labels = levels.best(found.ends, found.objectives).labels
    else:
        labels = _scikit_learn(points, k, found.centroids, 1, random_state).labels_
    labels = _numbered_by_size(points, labels.astype(np.intp), k)
    centroids = _centroids_of(points, labels, k)
    return KMeansFit(
        centroids=centroids,
        labels=labels,
        cluster_weights=weight_of_groups(labels, points.weights, k),
        wcss=_wcss(points, labels, centroids),
        restarts=found.restarts,
        restarts_at_best=found.restarts_at_best,
        runner_up_wcss=found.runner_up_wcss,
        runner_up_customers=found.runner_up_customers,
    )


def _scikit_learn(
    points: WeightedPoints, k: int, init: str | Floats, starts: int, random_state: int
) -> KMeans:
    """Fit scikit-learn's KMeans to a fixed point, on one thread: more cost more on few points."""
    load_libraries()
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    model = KMeans(
        k, init=init, n_init=starts, tol=0.0, max_iter=MAX_ITERATIONS, random_state=random_state
    )
    with threadpool_limits(1):
        return model.fit(points.coordinates, sample_weight=points.weights)


def _numbered_by_size(points: WeightedPoints, labels: Integers, k: int) -> Integers:
    centroids = _centroids_of(points, labels, k)
    size = weight_of_groups(labels, points.weights, k)
    rank = np.empty(k, dtype=np.intp)
    rank[largest_first(centroids, size)] = np.arange(k)
    return rank[labels]


def _centroids_of(points: WeightedPoints, labels: Integers, k: int) -> Floats:
    return mean_of_groups(points.coordinates, points.weights, labels, k)


def _wcss(points: WeightedPoints, labels: Integers, centroids: Floats) -> float:
    squared = ((points.coordinates - centroids[labels]) ** 2).sum(axis=1)
    return float(points.weights @ squared) + points.scatter
