"""Weighted K-Means that reaches the best known objective, whatever the seed.

A search that draws by a seed of its own finds the centroids (`search`, on `levels` of the points),
and scikit-learn's KMeans fits the points from there. Up to 262,144 points, no move of a single one
improves what comes out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mall_segments.levels import Levels
from mall_segments.libraries import load_libraries
from mall_segments.lloyd import Floats, Integers, nearest_centroid
from mall_segments.search import DEFAULT_EFFORT, Found, search
from mall_segments.weighted_points import (
    WeightedPoints,
    largest_first,
    mean_of_groups,
    weight_of_groups,
)

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
    restarts : int, local searches that were run
    restarts_at_best : int, how many of them ended at the best objective
    runner_up_wcss : float or None, objective of the second best partition that the search ended in
    runner_up_customers : float or None, customers that it puts elsewhere

    Notes
    -----
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


def fit_kmeans(
    points: WeightedPoints, k: int, random_state: int = 0, effort: int = DEFAULT_EFFORT
) -> KMeansFit:
    """Fit K-Means with k clusters.

    Parameters
    ----------
    points : WeightedPoints
        m distinct points in d scaled features.
    k : int
        Number of clusters, 1 <= k <= m.
    random_state : int
        Seed that scikit-learn gets. It does not show in the fit, which starts where a search ended.
    effort : int
        How long to search for better partitions, see `search`.

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
    points.require_at_least(k)
    return fit_levels(Levels.of(points), k, random_state, effort)


def fit_kmeans_path(
    points: WeightedPoints, k_max: int, random_state: int = 0, effort: int = DEFAULT_EFFORT
) -> list[KMeansFit]:
    """Fit K-Means for every k from 1 to k_max.

    Parameters are those of `fit_kmeans`. Returns the fits in the order of k, each that of
    `fit_kmeans`.
    """
    points.require_at_least(k_max)
    levels = Levels.of(points)
    return [fit_levels(levels, k, random_state, effort) for k in range(1, k_max + 1)]


def fit_levels(
    levels: Levels, k: int, random_state: int = 0, effort: int = DEFAULT_EFFORT
) -> KMeansFit:
    """Fit K-Means to points that have been coarsened; parameters are those of `fit_kmeans`."""
    points = levels.points
    searched, found = points, None
    if len(levels.coarse) >= k:
        searched, found = levels.coarse, _search(levels.coarse, k, effort)
    if searched is not points and levels.are_searched:
        searched, found = points, _search(points, k, effort, found)
    found = found or _search(points, k, effort)
    if levels.are_searched:
        labels = _scikit_learn(points, found.ends[0], random_state)
    else:
        labels = levels.best(list(found.ends), found.wcss)
    labels = _numbered_by_size(points, labels, k)
    centroids = _centroids_of(points, labels, k)
    has_other = len(found.ends) > 1
    return KMeansFit(
        centroids=centroids,
        labels=labels,
        cluster_weights=weight_of_groups(labels, points.weights, k),
        wcss=_wcss(points, labels, centroids),
        restarts=found.searches,
        restarts_at_best=found.searches_at_best,
        runner_up_wcss=float(found.wcss[1]) if has_other else None,
        runner_up_customers=_customers_elsewhere(searched, *found.ends[:2]) if has_other else None,
    )


def _search(points: WeightedPoints, k: int, effort: int, coarser: Found | None = None) -> Found:
    """Search in an order of points and features that is theirs, from the ends of another search."""
    ordered, order = points.in_canonical_order()
    starts = coarser.ends[:, :, order] if coarser else None
    in_order = replace(ordered, coordinates=ordered.coordinates[:, order])
    found = search(in_order, k, effort, starts)
    return replace(found, ends=found.ends[:, :, np.argsort(order)])


def _customers_elsewhere(points: WeightedPoints, centroids: Floats, others: Floats) -> float:
    """Return the customers in another cluster once the clusters are matched as well as can be."""
    load_libraries()
    from scipy.optimize import linear_sum_assignment

    k = len(centroids)
    labels, other_labels = (
        nearest_centroid(points.coordinates, places)[0] for places in (centroids, others)
    )
    overlap = weight_of_groups(labels * k + other_labels, points.weights, k * k).reshape(k, k)
    return float(points.customers - overlap[linear_sum_assignment(-overlap)].sum())


def _scikit_learn(points: WeightedPoints, centroids: Floats, random_state: int) -> Integers:
    """Return the labels of scikit-learn's KMeans at a fixed point.

    It fits on one thread: more cost more on few points.
    """
    load_libraries()
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    model = KMeans(
        len(centroids),
        init=centroids,
        n_init=1,
        tol=0.0,
        max_iter=MAX_ITERATIONS,
        random_state=random_state,
    )
    with threadpool_limits(1):
        model.fit(points.coordinates, sample_weight=points.weights)
    return model.labels_.astype(np.intp)


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
