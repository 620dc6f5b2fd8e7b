"""The same customers as many points and as few: search among few, decide among more.

Up to SEARCHED_POINTS are searched as they are. Of more, the ends of a search on coarser points are
where the search on all begins. Of more than MOVED_POINTS, each level takes the ends that are near
the best to the next finer one: which is the best shows on coarser points already, unless they are
almost as good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mall_segments.hamerly import converge
from mall_segments.lloyd import Floats, Integers
from mall_segments.weighted_points import Blocks, WeightedPoints

SEARCHED_POINTS = 20_000
MOVED_POINTS = 1 << 18
# Levels of more points than these: where the search begins, and between it and all of them.
COARSE_POINTS = 4_096
MIDDLE_POINTS = 16_384
# Ends whose objectives differ by less than this share may change places on finer points; ten times
# that where the coarser ones are a sample.
SEARCH_ERROR = 2e-3
MIDDLE_ERROR = 5e-4
SAMPLE_FACTOR = 10
SAME_WCSS = 1e-9
# Ends whose centroids are this near to each other, in standard deviations, go on to the same end on
# finer points, or to one whose WCSS is the same to a ten-millionth.
SAME_CENTROIDS = 0.05


@dataclass(frozen=True)
class Levels:
    """Weighted points, and coarser ones where they are too many to search.

    Attributes
    ----------
    points : WeightedPoints, all of them
    middle : WeightedPoints, MIDDLE_POINTS at most, or all
    coarse : WeightedPoints, COARSE_POINTS at most, or all
    blocks : Blocks or None, of all points, those that the middle ones were merged from
    """

    points: WeightedPoints
    middle: WeightedPoints
    coarse: WeightedPoints
    blocks: Blocks | None

    @classmethod
    def of(cls, points: WeightedPoints) -> Levels:
        """Coarsen points, if they are many."""
        if len(points) <= SEARCHED_POINTS:
            return cls(points, points, points, None)
        blocks = points.in_close_blocks(MIDDLE_POINTS)
        middle = blocks.merged(points.scatter) if blocks else points.sampled(MIDDLE_POINTS)
        return cls(points, middle, middle.coarsened(COARSE_POINTS), blocks)

    @property
    def are_searched(self) -> bool:
        """Whether the search goes on among all points: few enough, and not cells of customers."""
        return len(self.points) <= MOVED_POINTS and not self.points.scatter

    def best(self, ends: Sequence[Floats], wcss: Floats) -> Integers:
        """Return the (m,) labels of the best end on all points of Lloyd's algorithm from some ends.

        Parameters
        ----------
        ends : sequence of (k, d) arrays
            Centroids that a search on the coarse points ended in.
        wcss : (e,) array
            Their objective there.
        """
        factor = 1 if self.blocks else SAMPLE_FACTOR
        chosen = [ends[place] for place in _near(wcss, SEARCH_ERROR * factor)]
        on_middle = [converge(self.middle, start) for start in chosen]
        near = _near(np.array([end.wcss for end in on_middle]), MIDDLE_ERROR * factor)
        starts = _apart([on_middle[place].centroids for place in near])
        on_all = [converge(self.points, start, self.blocks) for start in starts]
        return min(on_all, key=lambda end: end.wcss).labels


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
