"""Weighted points: what K-Means needs to know of a customers table.

K-Means depends on the customers only through the distinct feature vectors and the number of
customers on each, so a table of any length is fitted from its points without any approximation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mall_segments.errors import TooFewPointsError
from mall_segments.lloyd import Floats, Integers

# The finest grid has so many divisions, and cell numbers of 63 bits.
FINEST_GRID = 1 << 20
CELL_BITS = 63
# Blocks hide little if their scatter is no more than this share of the total sum of squares.
LARGEST_SCATTER = 0.05
# Digits by which points and features are put in order: what sums of another order change is less.
ORDER_DIGITS = 10
# Up to so many cells are counted in an array of them all, which is faster than sorting the points.
COUNTED_CELLS = 1 << 22


@dataclass(frozen=True)
class WeightedPoints:
    """Distinct points in lexicographic order, with the number of customers on each.

    Attributes
    ----------
    coordinates : (m, d) array, scaled features
    weights : (m,) array, customers per point, positive
    scatter : float
        Where points stand for customers nearby, the sum of the squared distances of these to their
        points. Whatever whole points are put together, it is a part of the objective.
    """

    coordinates: Floats
    weights: Floats
    scatter: float = 0.0

    @classmethod
    def from_rows(cls, rows: Floats, weights: Floats | None = None) -> WeightedPoints:
        """Collect rows that are equal into one point each.

        Parameters
        ----------
        rows : (n, d) array
        weights : (n,) array, optional
            Weight of each row, 1 by default.

        Examples
        --------
        >>> points = WeightedPoints.from_rows(np.array([[2.0], [1.0], [2.0]]))
        >>> points.coordinates.tolist(), points.weights.tolist()
        ([[1.0], [2.0]], [1.0, 2.0])
        """
        distinct, index = np.unique(rows, axis=0, return_inverse=True)
        row_weights = np.ones(len(rows)) if weights is None else weights
        return cls(distinct, weight_of_groups(index.ravel(), row_weights, len(distinct)))

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, some: Integers | NDArray[np.bool_]) -> WeightedPoints:
        """Return some of the points, without scatter."""
        return WeightedPoints(self.coordinates[some], self.weights[some])

    @property
    def customers(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())

    @property
    def mean(self) -> Floats:
        """(d,) weighted mean."""
        return self.weights @ self.coordinates / self.weights.sum()

    @property
    def total_sum_of_squares(self) -> float:
        """Sum of the squared distances of the customers to their mean."""
        squared = ((self.coordinates - self.mean) ** 2).sum(axis=1)
        return float(self.weights @ squared) + self.scatter

    def require_at_least(self, k: int) -> None:
        """Raise TooFewPointsError unless k clusters can be told apart."""
        if len(self) < k:
            raise TooFewPointsError(found=len(self), needed=k)

    def coarsened(self, limit: int) -> WeightedPoints:
        """Return at most so many points that stand for all.

        Neighbouring points are merged to their weighted mean (see `in_blocks`). Where so few blocks
        would hide much of what tells the points apart, as in many dimensions, points at even steps
        of the weight stand for all. Few enough points are returned unchanged.

        Parameters
        ----------
        limit : int
            Largest number of points wanted.
        """
        if len(self) <= limit:
            return self
        blocks = self.in_close_blocks(limit)
        return blocks.merged(self.scatter) if blocks else self.sampled(limit)

    def in_close_blocks(self, limit: int) -> Blocks | None:
        """Return the points in at most so many blocks; None where these would hide too much."""
        blocks = self.in_blocks(limit)
        hidden = float(blocks.scatter.sum())
        return blocks if hidden <= LARGEST_SCATTER * self.total_sum_of_squares else None

    def sampled(self, limit: int) -> WeightedPoints:
        """Return at most so many of the points, those at even steps of the weight."""
        ordered, _ = self.in_canonical_order()
        mass = np.cumsum(ordered.weights)
        steps = mass[-1] * (np.arange(limit) + 0.5) / limit
        place, times = np.unique(np.searchsorted(mass, steps), return_counts=True)
        return WeightedPoints(ordered.coordinates[place], times * (mass[-1] / limit))

    def in_canonical_order(self) -> tuple[WeightedPoints, Integers]:
        """Return the points in an order that depends neither on theirs nor on that of the features.

        Returns
        -------
        points : WeightedPoints
            In lexicographic order of the features in `order`; their columns stay where they are.
        order : (d,) array
            Places of the features by their third and fourth moment.
        """
        rounded = self.coordinates.round(ORDER_DIGITS)
        moments = [
            tuple(
                round(math.fsum((self.weights * column**power).tolist()), ORDER_DIGITS // 2)
                for power in (3, 4)
            )
            for column in rounded.T
        ]
        order = np.array(sorted(range(len(moments)), key=moments.__getitem__), dtype=np.intp)
        in_order = self[np.lexsort(rounded[:, order[::-1]].T)]
        return replace(in_order, scatter=self.scatter), order

    def in_blocks(self, limit: int) -> Blocks:
        """Collect the points in the cells of the finest regular grid with few enough occupied ones.

        Parameters
        ----------
        limit : int
            Largest number of blocks wanted.
        """
        lower = self.coordinates.min(axis=0)
        # A single place has no extent; it is in one cell of any grid.
        extent = float((self.coordinates.max(axis=0) - lower).max()) or 1.0
        # So many divisions cannot have more cells than wanted.
        fine = max(int(limit ** (1 / self.coordinates.shape[1]) + 1e-9) - 1, 1)
        coarse = 2 * fine
        finest = min(FINEST_GRID, int(2 ** (CELL_BITS / self.coordinates.shape[1])) - 1)
        while coarse < finest and self._occupied(lower, extent, coarse) <= limit:
            fine, coarse = coarse, 2 * coarse
        while coarse - fine > 1:
            middle = (fine + coarse) // 2
            if self._occupied(lower, extent, middle) <= limit:
                fine = middle
            else:
                coarse = middle
        _, cell = np.unique(self._cells(lower, extent, fine), return_inverse=True)
        return Blocks.of(self, cell)

    def _occupied(self, lower: Floats, extent: float, divisions: int) -> int:
        cells = self._cells(lower, extent, divisions)
        if (divisions + 1) ** self.coordinates.shape[1] <= COUNTED_CELLS:
            return int(np.count_nonzero(np.bincount(cells)))
        return len(np.unique(cells))

    def _cells(self, lower: Floats, extent: float, divisions: int) -> Integers:
        """Return the number of the cell of each point on a grid of equal cubes."""
        position = np.floor((self.coordinates - lower) / (extent / divisions)).astype(np.intp)
        return position @ (divisions + 1) ** np.arange(position.shape[1])


@dataclass(frozen=True)
class Blocks:
    """Points in blocks of neighbours.

    Attributes
    ----------
    of_point : (m,) array, number of the block of each point
    points : WeightedPoints, the weighted mean of each of b blocks, in the order of the numbers
    scatter : (b,) array, weighted sum of squared distances of the points to the mean
    radius : (b,) array, longest distance of a point to the mean
    """

    of_point: Integers
    points: WeightedPoints
    scatter: Floats
    radius: Floats

    @classmethod
    def of(cls, points: WeightedPoints, of_point: Integers) -> Blocks:
        """Describe the blocks of m points that are numbered without gaps by block."""
        count = int(of_point.max()) + 1
        means = mean_of_groups(points.coordinates, points.weights, of_point, count)
        squared = np.zeros(len(points))
        for column, mean in zip(points.coordinates.T, means.T, strict=True):
            difference = column - mean[of_point]
            difference *= difference
            squared += difference
        farthest = np.zeros(count)
        np.maximum.at(farthest, of_point, squared)
        return cls(
            of_point,
            WeightedPoints(means, weight_of_groups(of_point, points.weights, count)),
            weight_of_groups(of_point, points.weights * squared, count),
            np.sqrt(farthest),
        )

    def merged(self, scatter: float = 0.0) -> WeightedPoints:
        """Return the means as points, given the scatter of the points themselves."""
        means = WeightedPoints.from_rows(self.points.coordinates, self.points.weights)
        return replace(means, scatter=scatter + float(self.scatter.sum()))


def weight_of_groups(group: Integers, weights: Floats, groups: int) -> Floats:
    """Return the (groups,) total weight of points that are numbered by group."""
    return np.bincount(group, weights, groups).astype(np.float64)


def largest_first(centroids: Floats, sizes: Floats) -> Integers:
    """Return the places of clusters by size, the largest first, then by their (k, d) centroids.

    Neither the seed nor the order of the rows shows in that order.
    """
    return np.lexsort((*centroids.T[::-1], -sizes))


def mean_of_groups(coordinates: Floats, weights: Floats, group: Integers, groups: int) -> Floats:
    """Return the (groups, d) weighted means of (m, d) points that are numbered by group."""
    sums = [weight_of_groups(group, weights * column, groups) for column in coordinates.T]
    return np.stack(sums, axis=1) / weight_of_groups(group, weights, groups)[:, None]
