"""The same customers as many points and as few: search among few, decide among more.

Which of several ends of a search is the best on all points shows on coarser ones already, unless
they are almost as good. So each level takes the ends that are near the best to the next finer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mall_segments.hamerly import Convergence, converge
from mall_segments.lloyd import Floats
from mall_segments.weighted_points import Blocks, WeightedPoints

# A search runs on so many points at most.
SEARCH_POINTS = 2_000
# Between these and all of them lies a level of so many, if they are fewer by far.
MIDDLE_POINTS = 16_384
# Ends whose objectives differ by less than this share may change places on finer points.
SEARCH_ERROR = 2e-3
MIDDLE_ERROR = 5e-4
SAME_WCSS = 1e-9
# Ends whose centroids are this near to each other, in standard deviations, go on to the same end on
# finer points, or to one whose WCSS is the same to a ten-millionth.
SAME_CENTROIDS = 0.05


@dataclass(frozen=True)
class Levels:
    """Weighted points, coarsened twice.

    Attributes
    ----------
    points : WeightedPoints, all of them
    middle : WeightedPoints, MIDDLE_POINTS at most; all if they are not many more
    coarse : WeightedPoints, SEARCH_POINTS at most
    blocks : Blocks or None, of all points, those that the middle ones were merged from
    """

    points: WeightedPoints
    middle: WeightedPoints
    coarse: WeightedPoints
    blocks: Blocks | None

    @classmethod
    def of(cls, points: WeightedPoints) -> Levels:
        """Coarsen points."""
        is_far = len(points) > 2 * MIDDLE_POINTS
        blocks = points.in_blocks(MIDDLE_POINTS) if is_far else None
        middle = blocks.merged(points.scatter) if blocks else points
        return cls(points, middle, middle.coarsened(SEARCH_POINTS), blocks)

    def for_search(self, k: int) -> WeightedPoints:
        """Return the coarse points, or all where these are too few for k clusters."""
        return self.coarse if len(self.coarse) >= k else self.points

    def best(self, starts: Sequence[Floats], objectives: Floats) -> Convergence:
        """Return the best end on all points of Lloyd's algorithm from some of the starts.

        Parameters
        ----------
        starts : sequence of (k, d) arrays
            Centroids that a search on the coarse points ended in.
        objectives : (s,) array
            Their WCSS there.
        """
        chosen = [starts[place] for place in _near(objectives, SEARCH_ERROR)]
        if self.middle is not self.points:
            ends = [converge(self.middle, start) for start in chosen]
            near = _near(np.array([end.wcss for end in ends]), MIDDLE_ERROR)
            chosen = _apart([ends[place].centroids for place in near])
        ends = [converge(self.points, start, self.blocks) for start in chosen]
        return min(ends, key=lambda end: end.wcss)


def _apart(ends: Sequence[Floats]) -> list[Floats]:
    """Return those of the (k, d) centroids that are not almost those of an earlier one."""
    found: list[Floats] = []
    for centroids in ends:
        shifts = (
            np.linalg.norm(centroids[:, None] - other, axis=2).min(axis=1).max() for other in found
        )
        if all(shift > SAME_CENTROIDS for shift in shifts):
            found.append(centroids)
    return found


def _near(objectives: Floats, error: float) -> list[int]:
    """Return the places of the objectives near the least, one of those that are the same."""
    order = np.argsort(objectives, kind="stable")
    least = objectives[order[0]]
    found: list[int] = []
    for place in order.tolist():
        is_new = not found or objectives[place] > objectives[found[-1]] + SAME_WCSS * least
        if is_new and objectives[place] <= least * (1 + error):
            found.append(place)
    return found
