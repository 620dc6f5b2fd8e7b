"""Lloyd's algorithm for many weighted K-Means problems at once.

Choosing k takes thousands of small fits (starts, bootstrap resamples, reference data). Fitting them
one by one spends its time in call overhead, so what is run here is a *batch*: the leading axis
counts the problems, which share the number of points, features and clusters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

MAX_ITERATIONS = 300
# Distances of so many problems, points and centroids at once stay in the processor's cache.
VALUES_AT_ONCE = 131_072
POINTS_AT_ONCE = 32_768
# Weights of clusters add up to that of the points to this share, unless a point is in two.
TIE = 1e-9


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


def lloyd(
    coordinates: Floats, weights: Floats, centroids: Floats, tolerance: float = 0.0
) -> LloydBatch:
    """Run Lloyd's algorithm from every start until its centroids stay where they are.

    Parameters
    ----------
    coordinates : (m, d) or (S, m, d) array
        Scaled points, shared by the batch or one set per problem.
    weights : (m,) or (S, m) array
        Weight of each point, zero or more.
    centroids : (S, k, d) array
        Where each problem starts.
    tolerance : float
        A problem ends earlier where a step lowers its WCSS by no more than this share.

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
    problems = _Problems.of(coordinates, weights)
    starts, k, _ = centroids.shape
    at_once = max(VALUES_AT_ONCE // (k * problems.points), 1)
    parts = [
        _lloyd(problems.some(part), centroids[part], tolerance)
        for part in np.split(np.arange(starts), range(at_once, starts, at_once))
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


@dataclass(frozen=True)
class _Problems:
    """Points of S problems, or of one that they share, laid out for products of matrices.

    Attributes
    ----------
    rows : (S or 1, d, m) array, one contiguous row per feature
    weighted : (S or 1, m, d + 1) array, the points times their weight, and the weight
    squares : (S or 1,) array, weighted sum of the squared coordinates
    """

    rows: Floats
    weighted: Floats
    squares: Floats

    @classmethod
    def of(cls, coordinates: Floats, weights: Floats) -> _Problems:
        points = coordinates if coordinates.ndim == 3 else coordinates[None]
        weight = np.atleast_2d(weights)[:, :, None]
        with_one = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=2)
        squares = ((points**2).sum(axis=2) * weight[:, :, 0]).sum(axis=1)
        return cls(_feature_rows(points), with_one * weight, squares)

    @property
    def points(self) -> int:
        return self.rows.shape[2]

    @property
    def weights(self) -> Floats:
        """(S or 1, m) array."""
        return self.weighted[:, :, -1]

    def some(self, problems: Integers) -> _Problems:
        """Return some of the problems, without a copy of what they share."""
        return _Problems(
            _select(self.rows, problems),
            _select(self.weighted, problems),
            _select(self.squares, problems),
        )

    def parts(self, clusters: int) -> Iterator[tuple[slice, _Problems]]:
        """Return some of the points at a time, so that distances to all clusters are few."""
        at_once = max(VALUES_AT_ONCE // clusters, 1)
        for start in range(0, self.points, at_once):
            part = slice(start, start + at_once)
            yield part, _Problems(self.rows[:, :, part], self.weighted[:, part], self.squares)

    def distances(self, centroids: Floats) -> Floats:
        """Return the (S, k, m) squared distances, each without the square of its point."""
        products = np.matmul(centroids, self.rows)
        products *= -2
        products += (centroids**2).sum(axis=2)[:, :, None]
        return products


def _lloyd(problems: _Problems, centroids: Floats, tolerance: float) -> LloydBatch:
    centroids = centroids.copy()
    wcss = np.full(len(centroids), np.inf)
    # The centroids that the last assignment of each problem was to.
    assigned = centroids.copy()
    running, left = np.arange(len(centroids)), problems
    for _ in range(MAX_ITERATIONS):
        assigned[running] = centroids[running]
        sums, cost = _sums(left, assigned[running])
        moved = _means(left, assigned[running], sums)
        has_ended = (moved == assigned[running]).all(axis=(1, 2))
        if tolerance:
            has_ended |= wcss[running] - cost <= tolerance * cost
        wcss[running] = cost
        centroids[running] = moved
        running = running[~has_ended]
        if not len(running):
            break
        left = problems.some(running)
    labels = np.empty((len(centroids), problems.points), dtype=np.intp)
    for part, points in problems.parts(centroids.shape[0] * centroids.shape[1]):
        labels[:, part] = points.distances(assigned).argmin(axis=1)
    return LloydBatch(centroids, labels, np.maximum(wcss, 0.0))


def _sums(problems: _Problems, centroids: Floats) -> tuple[Floats, Floats]:
    """Return the (S, k, d + 1) sums of the points nearest to each centroid, and their (S,) cost."""
    size, k, features = centroids.shape
    sums, cost = np.zeros((size, k, features + 1)), np.zeros(size) + problems.squares
    for _, points in problems.parts(size * k):
        distance = points.distances(centroids)
        least = distance.min(axis=1)
        cost += (least * points.weights).sum(axis=1)
        members = (distance == least[:, None, :]).astype(np.float64)
        found = np.matmul(members, points.weighted)
        weight = points.weights.sum(axis=1)
        for problem in np.flatnonzero(found[:, :, -1].sum(axis=1) > weight * (1 + TIE)):
            # A point as near to two centroids belongs to the first.
            own = distance[problem].argmin(axis=0) == np.arange(k)[:, None]
            found[problem] = (
                own.astype(np.float64) @ _select(points.weighted, np.array([problem]))[0]
            )
        sums += found
    return sums, cost


def _means(problems: _Problems, centroids: Floats, sums: Floats) -> Floats:
    """Return the (S, k, d) means; an empty cluster takes the point that costs most."""
    total = sums[:, :, -1]
    means = sums[:, :, :-1] / np.where(total == 0, 1.0, total)[:, :, None]
    for problem in np.flatnonzero((total == 0).any(axis=1)):
        empty = np.flatnonzero(total[problem] == 0)
        one = problems.some(np.array([problem]))
        (own,), (weights,) = one.rows, one.weights
        least = one.distances(centroids[[problem]])[0].min(axis=0)
        cost = (least + (own**2).sum(axis=0)) * weights
        costliest = np.argsort(-cost, kind="stable")[: len(empty)]
        means[problem, empty[: len(costliest)]] = own[:, costliest].T
    return means


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
