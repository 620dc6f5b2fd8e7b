"""Lloyd's algorithm for one large weighted problem, exact and without looking at every point.

After the first iterations few points change their cluster, and most are so far from a border that
no small move of the centroids can change theirs. A bound per point says when it has to be looked
at again. The result is that of Lloyd's algorithm from the same start, to the last label.

Source: Hamerly (2010), Making k-means even faster.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mall_segments.lloyd import Floats, Integers
from mall_segments.weighted_points import Blocks, WeightedPoints, weight_of_groups

MAX_ITERATIONS = 10_000
# Bounds are kept in floating point; a point this near to its bound is looked at again.
SLACK = 1e-9
# Points that steps as long as the last would not make doubtful in so many iterations are left out.
STEPS_AHEAD = 8
# By how many standard deviations a block lies within its cluster if it counts as a whole.
INNER_MARGIN = 0.1
# Points whose distances to all centroids are held at once, in the processor's cache.
POINTS_AT_ONCE = 16_384


@dataclass(frozen=True)
class Convergence:
    """Where Lloyd's algorithm stopped.

    Attributes
    ----------
    centroids : (k, d) array, weighted means of their points
    labels : (m,) array, the nearest centroid of each point, the lowest number on a tie
    wcss : float, weighted within-cluster sum of squares
    iterations : int
    """

    centroids: Floats
    labels: Integers
    wcss: float
    iterations: int


def converge(
    points: WeightedPoints, centroids: Floats, blocks: Blocks | None = None
) -> Convergence:
    """Run Lloyd's algorithm from some centroids until no point changes its cluster.

    Parameters
    ----------
    points : WeightedPoints
        m points in d features.
    centroids : (k, d) array
        Start; none of its clusters may be empty.
    blocks : Blocks, optional
        The same points in blocks of neighbours. One that lies within a cluster, far enough from its
        borders, counts as a whole; only the points of the others are looked at.

    Notes
    -----
    A cluster that loses all its points keeps its centroid.

    Examples
    --------
    >>> points = WeightedPoints(np.array([[0.0], [1.0], [9.0], [10.0]]), np.ones(4))
    >>> found = converge(points, np.array([[0.0], [1.0]]))
    >>> found.centroids.ravel().tolist(), found.labels.tolist(), found.wcss
    ([0.5, 9.5], [0, 0, 1, 1], 1.0)
    """
    blocks = blocks or Blocks.of(points, np.zeros(len(points), dtype=np.intp))
    iterations, is_end = 0, False
    while not is_end:
        own, nearest, second = _two_nearest(blocks.points.coordinates.T, centroids)
        is_inner = second - nearest > 2 * blocks.radius + INNER_MARGIN
        inner = blocks.points[is_inner]
        others = np.flatnonzero(~is_inner[blocks.of_point])
        outer = points[others]
        fixed = _Totals.of(inner, own[is_inner], len(centroids))
        reach = INNER_MARGIN if len(inner) else np.inf
        centroids, labels, rounds, is_end = _rounds(outer, centroids, fixed, reach)
        iterations += rounds
    wcss = (
        _sum_of_squares(outer, labels, centroids)
        + _sum_of_squares(inner, own[is_inner], centroids)
        + float(blocks.scatter[is_inner].sum())
        + points.scatter
    )
    every = own[blocks.of_point]
    every[others] = labels
    return Convergence(centroids, every, wcss, iterations)


def _rounds(
    points: WeightedPoints, centroids: Floats, fixed: _Totals, reach: float
) -> tuple[Floats, Integers, int, bool]:
    """Run rounds of Lloyd's algorithm on points beside others that keep their clusters.

    Parameters
    ----------
    fixed : _Totals
        Of the others.
    reach : float
        How far the borders may move before the others might change theirs.

    Returns
    -------
    centroids : (k, d) array
    labels : (m,) array
    rounds : int
    is_end : bool, whether no point changes any more; else the borders have moved too far
    """
    columns = np.ascontiguousarray(points.coordinates.T)
    labels, nearest, second = _two_nearest(columns, centroids)
    totals = fixed + _Totals.of(points, labels, len(centroids))
    # How far the centroids have moved, at most, to the disadvantage of the points of each cluster;
    # how far that may go before a point has to be looked at; and before all bounds have to be.
    drift, horizon = np.zeros(len(centroids)), np.full(len(centroids), -np.inf)
    limit = second - nearest
    watched = np.arange(len(points))
    is_rounded = False
    for rounds in range(1, MAX_ITERATIONS + 1):
        moved = totals.means(centroids)
        step = np.sqrt(((moved - centroids) ** 2).sum(axis=1))
        centroids = moved
        # The own centroid may have gone away, and any other may have come nearer.
        lost = step + _largest_other(step)
        drift += lost
        if drift.max() > reach:
            return centroids, labels, rounds, False
        if (drift > horizon).any():
            horizon = drift + STEPS_AHEAD * lost
            watched = np.flatnonzero(limit <= horizon[labels] + SLACK)
        doubtful = watched[limit[watched] <= drift[labels[watched]] + SLACK]
        found, nearest, second = _two_nearest(columns[:, doubtful], centroids)
        limit[doubtful] = drift[found] + (second - nearest)
        changed = found != labels[doubtful]
        movers = doubtful[changed]
        if len(movers):
            totals.move(points, movers, labels[movers], found[changed])
            labels[movers] = found[changed]
            is_rounded = True
        elif is_rounded:
            # Sums that were kept up move by move carry their rounding; once more from all points.
            totals, is_rounded = fixed + _Totals.of(points, labels, len(centroids)), False
        else:
            break
    return centroids, labels, rounds, True


def _sum_of_squares(points: WeightedPoints, labels: Integers, centroids: Floats) -> float:
    """Return the weighted sum of the squared distances to the centroids, without the scatter."""
    squared = np.zeros(len(points))
    for column, values in zip(points.coordinates.T, centroids.T, strict=True):
        difference = column - values[labels]
        difference *= difference
        squared += difference
    return float(points.weights @ squared)


@dataclass
class _Totals:
    """Weight (k,) and weighted sum of the coordinates (k, d) of every cluster."""

    weight: Floats
    sums: Floats

    @classmethod
    def of(cls, points: WeightedPoints, labels: Integers, k: int) -> _Totals:
        weighted = (points.weights * column for column in points.coordinates.T)
        sums = [weight_of_groups(labels, values, k) for values in weighted]
        return cls(weight_of_groups(labels, points.weights, k), np.stack(sums, axis=1))

    def __add__(self, other: _Totals) -> _Totals:
        return _Totals(self.weight + other.weight, self.sums + other.sums)

    def means(self, before: Floats) -> Floats:
        """Return the (k, d) means; an empty cluster stays where it was."""
        empty = self.weight <= 0
        return np.where(
            empty[:, None], before, self.sums / np.where(empty, 1.0, self.weight)[:, None]
        )

    def move(self, points: WeightedPoints, movers: Integers, old: Integers, new: Integers) -> None:
        """Count some points in another cluster."""
        moved = points[movers]
        k = len(self.weight)
        for sign, labels in ((-1, old), (1, new)):
            part = _Totals.of(moved, labels, k)
            self.weight += sign * part.weight
            self.sums += sign * part.sums


def _two_nearest(columns: Floats, centroids: Floats) -> tuple[Integers, Floats, Floats]:
    """Return the nearest centroid of each point, and the distances to it and to the next."""
    size = columns.shape[1]
    labels = np.empty(size, dtype=np.intp)
    nearest, second = np.empty(size), np.full(size, np.inf)
    for start in range(0, size, POINTS_AT_ONCE):
        part = slice(start, start + POINTS_AT_ONCE)
        squared = np.zeros((len(centroids), len(labels[part])))
        for column, values in zip(columns[:, part], centroids.T, strict=True):
            difference = column - values[:, None]
            difference *= difference
            squared += difference
        own = squared.argmin(axis=0)
        labels[part] = own
        rows = np.arange(len(own))
        nearest[part] = np.sqrt(squared[own, rows])
        if len(centroids) > 1:
            squared[own, rows] = np.inf
            second[part] = np.sqrt(squared.min(axis=0))
    return labels, nearest, second


def _largest_other(step: Floats) -> Floats:
    """Return for each centroid the longest step of any other one."""
    if len(step) == 1:
        return np.zeros(1)
    order = np.argsort(step)
    others = np.full(len(step), step[order[-1]])
    others[order[-1]] = step[order[-2]]
    return others
