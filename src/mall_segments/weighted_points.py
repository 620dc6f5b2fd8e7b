"""Weighted points: what K-Means needs to know of a customers table.

K-Means depends on the customers only through the distinct feature vectors and the number of
customers on each, so a table of any length is fitted from its points without any approximation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mall_segments.errors import TooFewPointsError
from mall_segments.lloyd import Floats, Integers

# Three features at this many divisions still have cell numbers of 64 bits.
FINEST_GRID = 1 << 20
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
        """Merge neighbouring points until at most `limit` remain.

        Points are collected on the finest regular grid with few enough occupied cells; a merged
        point is the weighted mean of its cell. Few enough points are returned unchanged.

        Parameters
        ----------
        limit : int
            Largest number of points wanted.
        """
        if len(self) <= limit:
            return self
        lower = self.coordinates.min(axis=0)
        extent = float((self.coordinates.max(axis=0) - lower).max())
        # So many divisions cannot have more cells than wanted.
        fine = max(int(limit ** (1 / self.coordinates.shape[1]) + 1e-9) - 1, 1)
        coarse = 2 * fine
        while coarse < FINEST_GRID and self._occupied(lower, extent, coarse) <= limit:
            fine, coarse = coarse, 2 * coarse
        while coarse - fine > 1:
            middle = (fine + coarse) // 2
            if self._occupied(lower, extent, middle) <= limit:
                fine = middle
            else:
                coarse = middle
        cells, cell = np.unique(self._cells(lower, extent, fine), return_inverse=True)
        means = mean_of_groups(self.coordinates, self.weights, cell, len(cells))
        squared = ((self.coordinates - means[cell]) ** 2).sum(axis=1)
        merged = WeightedPoints.from_rows(means, weight_of_groups(cell, self.weights, len(cells)))
        return replace(merged, scatter=self.scatter + float(self.weights @ squared))

    def _occupied(self, lower: Floats, extent: float, divisions: int) -> int:
        cells = self._cells(lower, extent, divisions)
        if (divisions + 1) ** self.coordinates.shape[1] <= COUNTED_CELLS:
            return int(np.count_nonzero(np.bincount(cells)))
        return len(np.unique(cells))

    def _cells(self, lower: Floats, extent: float, divisions: int) -> Integers:
        """Return the number of the cell of each point on a grid of equal cubes."""
        position = np.floor((self.coordinates - lower) / (extent / divisions)).astype(np.intp)
        return position @ (divisions + 1) ** np.arange(position.shape[1])


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
