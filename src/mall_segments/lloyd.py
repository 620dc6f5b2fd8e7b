"""Lloyd's algorithm for many weighted K-Means problems at once.

Choosing k takes thousands of small fits (starts, bootstrap resamples, reference data). Fitting them
one by one spends its time in call overhead, so every function here works on a *batch*: the leading
axis counts the problems, which share the number of points, features and clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

MAX_ITERATIONS = 300


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
    A cluster that loses all its weight restarts at the point that costs most, as in scikit-learn.
    Source: Lloyd (1982), Least squares quantization in PCM.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [9.0], [10.0]])
    >>> batch = lloyd(points, np.ones(4), np.array([[[0.0], [1.0]]]))
    >>> batch.centroids.round(1).tolist(), batch.wcss.tolist()
    ([[[0.5], [9.5]]], [1.0])
    """
    starts = len(centroids)
    points, point_weights = _as_batch(coordinates, weights, starts)
    centroids = centroids.copy()
    labels = np.full(point_weights.shape, -1, dtype=np.intp)
    wcss = np.empty(starts)
    running = np.arange(starts)
    for _ in range(MAX_ITERATIONS):
        active_points, active_weights = points[running], point_weights[running]
        nearest, squared = nearest_centroid(active_points, centroids[running])
        wcss[running] = np.einsum("sm,sm->s", active_weights, squared)
        changed = (nearest != labels[running]).any(axis=1)
        labels[running] = nearest
        if not changed.any():
            break
        moved = running[changed]
        centroids[moved] = _weighted_means(
            active_points[changed],
            active_weights[changed],
            nearest[changed],
            squared[changed],
            centroids.shape[1],
        )
        running = moved
    return LloydBatch(centroids, labels, wcss)


def nearest_centroid(points: Floats, centroids: Floats) -> tuple[Integers, Floats]:
    """Return the nearest centroid of each point and the squared distance to it.

    Parameters
    ----------
    points : (S, m, d) array
    centroids : (S, k, d) array

    Returns
    -------
    labels : (S, m) array of integers, the lowest number on a tie
    squared_distance : (S, m) array
    """
    labels = np.zeros(points.shape[:2], dtype=np.intp)
    best = _squared_distance(points, centroids[:, 0])
    for cluster in range(1, centroids.shape[1]):
        candidate = _squared_distance(points, centroids[:, cluster])
        closer = candidate < best
        labels[closer] = cluster
        np.minimum(best, candidate, out=best)
    return labels, best


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
    problems = np.arange(len(coordinates))
    squared = np.ones(weights.shape)
    chosen = []
    for _ in range(k):
        mass = np.cumsum(weights * squared, axis=1)
        draw = generator.random(len(problems)) * mass[:, -1]
        index = (mass <= draw[:, None]).sum(axis=1).clip(max=mass.shape[1] - 1)
        centroid = coordinates[problems, index]
        distance = _squared_distance(coordinates, centroid)
        squared = distance if not chosen else np.minimum(squared, distance)
        chosen.append(centroid)
    return np.stack(chosen, axis=1)


def _as_batch(coordinates: Floats, weights: Floats, starts: int) -> tuple[Floats, Floats]:
    points = coordinates if coordinates.ndim == 3 else coordinates[None]
    point_weights = weights if weights.ndim == 2 else weights[None]
    return (
        np.broadcast_to(points, (starts, *points.shape[1:])),
        np.broadcast_to(point_weights, (starts, point_weights.shape[1])),
    )


def _squared_distance(points: Floats, centroid: Floats) -> Floats:
    total = np.zeros(points.shape[:2])
    for feature in range(points.shape[2]):
        difference = points[:, :, feature] - centroid[:, feature, None]
        total += difference * difference
    return total


def _weighted_means(
    points: Floats, weights: Floats, labels: Integers, squared: Floats, k: int
) -> Floats:
    problems = len(points)
    cell = (labels + k * np.arange(problems)[:, None]).ravel()
    total = np.bincount(cell, weights.ravel(), problems * k)
    sums = np.stack(
        [
            np.bincount(cell, (weights * points[:, :, feature]).ravel(), problems * k)
            for feature in range(points.shape[2])
        ],
        axis=1,
    )
    empty = total == 0
    means = sums / np.where(empty, 1.0, total)[:, None]
    means = means.reshape(problems, k, -1)
    for problem, cluster in np.argwhere(empty.reshape(problems, k)):
        costliest = np.argsort(-weights[problem] * squared[problem], kind="stable")
        means[problem, cluster] = points[problem, costliest[cluster % len(costliest)]]
    return means
