"""Hartigan and Wong's local search: single-point moves that lower the weighted K-Means objective.

Lloyd's algorithm stops where every point sits with its nearest centroid. Moving one point to
another cluster can still pay, because both centroids move along with it. The partitions left by
this search are fixed points of Lloyd's algorithm as well, and there are far fewer of them.

Source: Hartigan and Wong (1979), Algorithm AS 136; Telgarsky and Vattani (2010), Hartigan's method.
"""

from __future__ import annotations

import numpy as np

from mall_segments.lloyd import Floats, Integers
from mall_segments.weighted_points import WeightedPoints

# A move counts if it lowers the objective by more than this share of the total sum of squares.
MINIMUM_RELATIVE_GAIN = 1e-12
# Points to whom another cluster is no dearer than their own by this share are looked at again
# before all are, so many times at most.
NEAR_A_BORDER = 0.05
LOOKS = 8
# The moves of a look gain a fifth at least of what they and all after them do.
LOOKS_AHEAD = 4
POINTS_AT_ONCE = 8_192


class SingleMoves:
    """Moves of single points between k clusters of some weighted points.

    Parameters
    ----------
    points : WeightedPoints
        m distinct points; each moves with its whole weight.
    k : int

    Notes
    -----
    A point of weight w at squared distance a from the centroid of its own cluster (weight A) and b
    from another (weight B) lowers the objective by ``A w / (A - w) a - B w / (B + w) b``.

    Examples
    --------
    >>> points = WeightedPoints(np.array([[0.0], [4.0], [9.0]]), np.ones(3))
    >>> labels, centroids, wcss = SingleMoves(points, 2).improve(np.array([0, 1, 1]))
    >>> labels.tolist(), centroids.ravel().tolist(), round(wcss, 9)
    ([0, 0, 1], [2.0, 9.0], 8.0)
    """

    def __init__(self, points: WeightedPoints, k: int) -> None:
        self.points, self.k = points, k
        self.squares = (points.coordinates**2).sum(axis=1)
        ones = np.ones((len(points), 1))
        self.weighted = np.hstack([points.coordinates, ones]) * points.weights[:, None]
        self.least_gain = MINIMUM_RELATIVE_GAIN * points.total_sum_of_squares

    def improve(self, labels: Integers, target: float = np.inf) -> tuple[Integers, Floats, float]:
        """Move points until no move lowers the objective, or until the target is out of reach.

        All points are looked at, then those near a border some times over, and all again.

        Parameters
        ----------
        labels : (m,) array
            Clusters 0..k-1. One without points gets one.
        target : float
            A WCSS. Where the moves of a look gain too little to get there, they end.

        Returns
        -------
        labels : (m,) array; a fixed point of Lloyd's algorithm unless the target is out of reach
        centroids : (k, d) array, the weighted means
        wcss : float, with the scatter of the points
        """
        labels = labels.copy()
        everybody = np.arange(len(labels))
        while True:
            weight, centroids = self._clusters(labels)
            own, removal, insertion = self._costs(everybody, labels, weight, centroids)
            wcss = float(self.points.weights @ own) + self.points.scatter
            gain = self._move(everybody, removal - insertion, labels, weight, centroids)
            near = np.flatnonzero(insertion <= (1 + NEAR_A_BORDER) * removal)
            if not gain:
                return labels, centroids, wcss
            for _ in range(LOOKS):
                wcss -= gain
                if wcss - LOOKS_AHEAD * gain > target:
                    return labels, centroids, wcss
                _, removal, insertion = self._costs(near, labels, weight, centroids)
                gain = self._move(near, removal - insertion, labels, weight, centroids)
                if not gain:
                    break

    def _clusters(self, labels: Integers) -> tuple[Floats, Floats]:
        """Return the (k,) weights and (k, d) means; sums kept move by move carry their rounding."""
        members = labels == np.arange(self.k)[:, None]
        sums = members.astype(np.float64) @ self.weighted
        weight = sums[:, -1].copy()
        # Where an empty cluster is does not matter: to open it costs nothing.
        return weight, sums[:, :-1] / np.where(weight > 0, weight, 1.0)[:, None]

    def _costs(
        self, some: Integers, labels: Integers, weight: Floats, centroids: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Return what some points are charged: where they are, saved by leaving, for joining.

        Returns
        -------
        nearest : (s,) array, squared distance to the own centroid
        removal : (s,) array, what leaving that cluster saves
        insertion : (s,) array, what joining the best other one costs
        """
        parts = [
            self._costs_of_part(some[start : start + POINTS_AT_ONCE], labels, weight, centroids)
            for start in range(0, max(len(some), 1), POINTS_AT_ONCE)
        ]
        nearest, removal, insertion = (
            np.concatenate(columns) for columns in zip(*parts, strict=True)
        )
        return nearest, removal, insertion

    def _costs_of_part(
        self, some: Integers, labels: Integers, weight: Floats, centroids: Floats
    ) -> tuple[Floats, Floats, Floats]:
        own, weights = labels[some], self.points.weights[some]
        squared = centroids @ self.points.coordinates[some].T
        squared *= -2
        squared += (centroids**2).sum(axis=1)[:, None]
        squared += self.squares[some]
        rows = np.arange(len(some))
        nearest = np.maximum(squared[own, rows], 0.0)
        left = weight[own] - weights
        removal = np.where(left > 0, weight[own] * nearest / np.where(left > 0, left, 1.0), 0.0)
        squared *= weight[:, None] / (weight[:, None] + weights)
        squared[own, rows] = np.inf
        return nearest, removal * weights, squared.min(axis=0) * weights

    def _move(
        self,
        some: Integers,
        gain: Floats,
        labels: Integers,
        weight: Floats,
        centroids: Floats,
    ) -> float:
        """Make the moves that pay, the best first, if they still do; return what they gained."""
        pays = np.flatnonzero(gain > self.least_gain)
        gained = 0.0
        for point in some[pays[np.argsort(-gain[pays], kind="stable")]].tolist():
            old, moved = labels[point], self.points.weights[point]
            place = self.points.coordinates[point]
            left = weight[old] - moved
            if left <= 0:
                continue
            squared = ((centroids - place) ** 2).sum(axis=1)
            cost = weight * moved / (weight + moved) * squared
            cost[old] = np.inf
            new = int(cost.argmin())
            gain_of_move = weight[old] * moved / left * squared[old] - cost[new]
            if gain_of_move <= self.least_gain:
                continue
            gained += float(gain_of_move)
            centroids[old] += (centroids[old] - place) * (moved / left)
            weight[old] = left
            weight[new] += moved
            centroids[new] += (place - centroids[new]) * (moved / weight[new])
            labels[point] = new
        return gained
