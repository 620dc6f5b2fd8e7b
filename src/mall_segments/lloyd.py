"""Lloyd's algorithm for many weighted K-Means problems at once.

Choosing k takes thousands of small fits (starts, bootstrap resamples, reference data). Fitting them
one by one spends its time in call overhead, so what is run here is a *batch*: the leading axis
counts the problems, which share the number of points, features and clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

MAX_ITERATIONS = 300
# Working arrays of this size stay in the processor's cache, which is half the time of a fit.
VALUES_AT_ONCE = 16_384
POINTS_AT_ONCE = 32_768


@dataclass(frozen=True)
class LloydBatch:
    """Converged solutions of a batch of S problems with m points, d features and k clusters.

    Attributes
    ----------
    centroids : (S, k, d) array, in the unit of the points
    labels : (S, m) array of cluster numbers 0..k-1
    wcss : (S,) array, weighted within-cluster sum of squares
    """

    centroids: Floats
    labels: Integers
    wcss: Floats


def lloyd(coordinates: Floats, weights: Floats, centroids: Floats) -> LloydBatch:
    """Run Lloyd's algorithm from every start until no point changes its cluster.

    Parameters
    ----------
    coordinates : (m, d) or (S, m, d) array
        Points, shared by the batch or one set per problem.
    weights : (m,) or (S, m) array
        Weight of each point, zero or more.
    centroids : (S, k, d) array
        Where each problem starts.

    Returns
    -------
    LloydBatch

    Notes
    -----
    Clusters that lose all their weight restart at the points that cost most, as in scikit-learn;
    they stay empty only where a problem has fewer distinct points than clusters.
    Source: Lloyd (1982), Least squares quantization in PCM.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [9.0], [10.0]])
    >>> batch = lloyd(points, np.ones(4), np.array([[[0.0], [1.0]]]))
    >>> batch.centroids.round(1).tolist(), batch.wcss.tolist()
    ([[[0.5], [9.5]]], [1.0])
    """
    points, point_weights = _feature_rows(coordinates), np.atleast_2d(weights)
    at_once = max(VALUES_AT_ONCE // points.shape[2], 1)
    parts = [
        _lloyd(_select(points, part), _select(point_weights, part), centroids[part])
        for part in np.split(np.arange(len(centroids)), range(at_once, len(centroids), at_once))
    ]
    return LloydBatch(
        np.concatenate([part.centroids for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.wcss for part in parts]),
    )


def nearest_centroid(points: Floats, centroids: Floats) -> tuple[Integers, Floats]:
    """Return the nearest centroid of each point and the squared distance to it.

    Parameters
    ----------
    points : (m, d) array
    centroids : (k, d) array

    Returns
    -------
    labels : (m,) array of integers, the lowest number on a tie
    squared_distance : (m,) array
    """
    labels, squared = np.empty(len(points), dtype=np.intp), np.empty(len(points))
    for start in range(0, len(points), POINTS_AT_ONCE):
        block = slice(start, start + POINTS_AT_ONCE)
        rows = _feature_rows(points[block])
        (labels[block],), (squared[block],) = _nearest(rows, centroids[None])
    return labels, squared


def kmeans_plus_plus(
    coordinates: Floats, weights: Floats, k: int, generator: np.random.Generator
) -> Floats:
    """Draw k-means++ starting centroids for every problem of a batch.

    Parameters
    ----------
    coordinates : (S, m, d) array
    weights : (S, m) array
    k : int
    generator : numpy.random.Generator

    Returns
    -------
    (S, k, d) array

    Notes
    -----
    Source: Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding.
    """
    points = _feature_rows(coordinates)
    problems = np.arange(len(weights))
    squared = np.ones(weights.shape)
    chosen: list[Floats] = []
    for _ in range(k):
        mass = np.cumsum(weights * squared, axis=1)
        draw = generator.random(len(problems)) * mass[:, -1]
        index = (mass <= draw[:, None]).sum(axis=1).clip(max=mass.shape[1] - 1)
        centroid = points[problems, :, index]
        distance = _squared_distance(points, centroid)
        squared = distance if not chosen else np.minimum(squared, distance)
        chosen.append(centroid)
    return np.stack(chosen, axis=1)


def _lloyd(points: Floats, point_weights: Floats, centroids: Floats) -> LloydBatch:
    starts = len(centroids)
    centroids = centroids.copy()
    labels = np.full((starts, points.shape[2]), -1, dtype=np.intp)
    wcss = np.empty(starts)
    running = np.arange(starts)
    for _ in range(MAX_ITERATIONS):
        nearest, squared = _nearest(_select(points, running), centroids[running])
        cost = squared * _select(point_weights, running)
        wcss[running] = cost.sum(axis=1)
        changed = (nearest != labels[running]).any(axis=1)
        labels[running] = nearest
        running = running[changed]
        if not len(running):
            break
        centroids[running] = _weighted_means(
            _select(points, running),
            _select(point_weights, running),
            nearest[changed],
            cost[changed],
            centroids.shape[1],
        )
    return LloydBatch(centroids, labels, wcss)


def _feature_rows(coordinates: Floats) -> Floats:
    """Lay points out as (S, d, m), one contiguous row per feature; S is 1 where they are shared."""
    batch = coordinates if coordinates.ndim == 3 else coordinates[None]
    return np.ascontiguousarray(np.swapaxes(batch, 1, 2))


def _select(batch: Floats, problems: Integers) -> Floats:
    """Return the rows of a batch for some problems, without a copy where they are shared."""
    return batch if len(batch) == 1 else batch[problems]


def _nearest(points: Floats, centroids: Floats) -> tuple[Integers, Floats]:
    best = _squared_distance(points, centroids[:, 0])
    labels = np.zeros(best.shape, dtype=np.intp)
    for cluster in range(1, centroids.shape[1]):
        candidate = _squared_distance(points, centroids[:, cluster])
        np.copyto(labels, cluster, where=candidate < best)
        np.minimum(best, candidate, out=best)
    return labels, best


def _squared_distance(points: Floats, centroid: Floats) -> Floats:
    total = points[:, 0] - centroid[:, 0, None]
    total *= total
    for feature in range(1, points.shape[1]):
        difference = points[:, feature] - centroid[:, feature, None]
        difference *= difference
        total += difference
    return total


def _weighted_means(
    points: Floats, weights: Floats, labels: Integers, cost: Floats, k: int
) -> Floats:
    problems, features = len(labels), points.shape[1]
    cell = (labels + k * np.arange(problems)[:, None]).ravel()
    sums = np.empty((problems, k, features + 1))
    for column in range(features + 1):
        value = weights if column == features else weights * points[:, column]
        whole = np.broadcast_to(value, labels.shape).ravel()
        sums[:, :, column] = np.bincount(cell, whole, problems * k).reshape(problems, k)
    total = sums[:, :, features]
    means = sums[:, :, :features] / np.where(total == 0, 1.0, total)[:, :, None]
    for problem in np.flatnonzero((total == 0).any(axis=1)):
        empty = np.flatnonzero(total[problem] == 0)
        costliest = np.argsort(-cost[problem], kind="stable")[: len(empty)]
        own_points = points[0 if len(points) == 1 else problem]
        means[problem, empty[: len(costliest)]] = own_points[:, costliest].T
    return means
