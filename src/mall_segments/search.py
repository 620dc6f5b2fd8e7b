"""The search for the partition with the least WCSS: partitions that recombine.

Lloyd's algorithm ends in one of many fixed points, and more starts find a better one ever more
slowly. Partitions that ended well share most of their centroids and differ in a few: some centroids
of one with the rest of another, and one of them put somewhere else at times, lead on.

Source: Gribel and Vidal (2019), HG-means: A scalable hybrid genetic algorithm for minimum
sum-of-squares clustering.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mall_segments.hartigan import SingleMoves
from mall_segments.libraries import load_libraries
from mall_segments.lloyd import Floats, Integers, kmeans_plus_plus, lloyd
from mall_segments.weighted_points import WeightedPoints

# The draws have a seed of their own: what is found belongs to the customers, not to a setting.
SEARCH_SEED = 2019
# Children of a generation: as many as one batch of Lloyd's algorithm takes in its stride.
FEWEST_CHILDREN, MOST_CHILDREN = 12, 24
VALUES_AT_ONCE = 131_072
# Partitions that are kept, beyond the children of a generation.
MORE_PARENTS = 2
# Share of the children of which one centroid is put somewhere else.
MUTATED = 0.5
# A search ends after PATIENCE generations without a better partition, twice as many with each step
# of its effort above the default, if AGREEING local searches or more have ended in the best one;
# after LONGEST times as many in any case; earlier where UNANIMOUS searches agree and a generation
# has not led on.
DEFAULT_EFFORT, LARGEST_EFFORT = 2, 5
PATIENCE = 5
AGREEING, UNANIMOUS = 3, 12
LONGEST = 3
# Lloyd's algorithm goes on while a step lowers the WCSS by more than this share; of the ends, those
# this near to the best are improved by single moves.
TOLERANCE = 1e-4
NEAR = 3e-3
# Ends are different partitions from this share of the WCSS on, and matter from the other on.
SAME_WCSS = 1e-9
MATTERS = 1e-7
# Ends of Lloyd's algorithm whose WCSS has these digits in common are one end.
DIGITS = 11


@dataclass(frozen=True)
class Found:
    """Where a search ended.

    Attributes
    ----------
    ends : (e, k, d) array, centroids of partitions of different WCSS, the best first
    wcss : (e,) array
    searches : int, local searches that were run
    searches_at_best : int, how many of them ended at the least WCSS, to a ten-millionth
    searches_at_end : int, how many of them ended in the very best partition
    """

    ends: Floats
    wcss: Floats
    searches: int
    searches_at_best: int
    searches_at_end: int


def search(
    points: WeightedPoints, k: int, effort: int = DEFAULT_EFFORT, starts: Floats | None = None
) -> Found:
    """Look for the partition of weighted points into k clusters with the least WCSS.

    Parameters
    ----------
    points : WeightedPoints
        m points in d scaled features, at least k. Their order decides between equals.
    k : int
    effort : int
        1 to LARGEST_EFFORT; each step doubles how long the search goes on without success.
    starts : (s, k, d) array, optional
        Centroids to start from beside those of k-means++, such as the ends of a search among
        fewer points, the best first.

    Examples
    --------
    >>> points = WeightedPoints.from_rows(np.array([[0.0], [1.0], [9.0], [10.0], [10.0]]))
    >>> found = search(points, 2)
    >>> sorted(found.ends[0].round(2).ravel().tolist()), found.wcss.round(3).tolist()[0]
    ([0.5, 9.67], 1.167)
    """
    if k == 1:
        return Found(points.mean[None, None], np.array([points.total_sum_of_squares]), 1, 1, 1)
    generator = np.random.default_rng([SEARCH_SEED, k])
    children = int(np.clip(VALUES_AT_ONCE // (k * len(points)), FEWEST_CHILDREN, MOST_CHILDREN))
    population = _Population(points, k, children + MORE_PARENTS)
    fresh = population.size if starts is None else population.size // 2
    sets = np.broadcast_to(points.coordinates, (fresh, *points.coordinates.shape))
    weights = np.broadcast_to(points.weights, (fresh, len(points)))
    drawn = kmeans_plus_plus(sets, weights, k, generator)
    first = drawn if starts is None else np.concatenate([starts[: population.size - fresh], drawn])
    found, stale = population.after(None, first), 0
    patience = int(PATIENCE * 2.0 ** (effort - DEFAULT_EFFORT))
    for _ in range(LONGEST * patience):
        has_settled = stale >= patience and found.searches_at_best >= AGREEING
        if has_settled or (stale and found.searches_at_end >= UNANIMOUS):
            break
        starts = recombine(
            points.coordinates[None], points.weights[None], found.ends[None], children, generator
        )
        better = population.after(found, starts[0])
        stale = stale + 1 if _is_same(better.wcss[0], found.wcss[0]) else 0
        found = better
    return found


def recombine(
    coordinates: Floats,
    weights: Floats,
    ends: Floats,
    children: int,
    generator: np.random.Generator,
) -> Floats:
    """Return centroids to search from, made of those that searches ended in.

    Parameters
    ----------
    coordinates : (B, m, d) array
        Points of each of B problems.
    weights : (B, m) array
    ends : (B, e, k, d) array
        Centroids of e partitions of each problem, the best first.
    children : int
    generator : numpy.random.Generator

    Returns
    -------
    (B, children, k, d) array

    Notes
    -----
    Of two drawn partitions the better one is a parent. Their centroids are matched, and each of a
    child's comes from one or the other. MUTATED of the children, and those of a partition with
    itself, have one centroid put on a point, drawn in proportion to what it costs without it.
    """
    problems, known, k, features = ends.shape
    parents = generator.integers(known, size=(problems * children, 2, 2)).min(axis=2)
    problem = np.repeat(np.arange(problems), children)
    first, second = ends[problem, parents[:, 0]], ends[problem, parents[:, 1]]
    matched = np.stack([_matched(*pair) for pair in zip(first, second, strict=True)])
    found = np.where(generator.random((len(first), k, 1)) < 0.5, first, matched)
    is_moved = generator.random(len(found)) < MUTATED
    moved = np.flatnonzero(is_moved | (parents[:, 0] == parents[:, 1]))
    dropped, draw = generator.integers(k, size=len(moved)), generator.random(len(moved))
    for own in np.split(np.arange(len(moved)), np.flatnonzero(np.diff(problem[moved])) + 1):
        if not len(own):
            continue
        which = problem[moved[own[0]]]
        place = _drawn(
            coordinates[which], weights[which], found[moved[own]], dropped[own], draw[own]
        )
        found[moved[own], dropped[own]] = coordinates[which][place]
    return found.reshape(problems, children, k, features)


class _Population:
    """The best ends of local searches among some points."""

    def __init__(self, points: WeightedPoints, k: int, size: int) -> None:
        self.points, self.size = points, size
        self.moves = SingleMoves(points, k)
        # Where single moves lead from the ends of Lloyd's algorithm, by the WCSS of these.
        self.improved: dict[str, tuple[Floats, float]] = {}

    def after(self, found: Found | None, starts: Floats) -> Found:
        """Run a local search from each of the (s, k, d) starts, and keep the best ends of all."""
        batch = lloyd(self.points.coordinates, self.points.weights, starts, TOLERANCE)
        ends, wcss = batch.centroids, batch.wcss + self.points.scatter
        least = min([wcss.min(), *(found.wcss[:1] if found else [])])
        target = found.wcss[0] * (1 + SAME_WCSS) if found else np.inf
        for place in np.flatnonzero(wcss <= least * (1 + NEAR)):
            end = f"{wcss[place]:.{DIGITS}e}"
            if end not in self.improved:
                self.improved[end] = self.moves.improve(batch.labels[place], target)[1:]
            ends[place], wcss[place] = self.improved[end]
        known = wcss
        if found:
            ends, known = np.concatenate([found.ends, ends]), np.concatenate([found.wcss, wcss])
        kept: list[int] = []
        for place in np.argsort(known, kind="stable").tolist():
            if not kept or not _is_same(known[place], known[kept[-1]]):
                kept.append(place)
        kept = kept[: self.size]
        best = known[kept[0]]
        at_best = int(_is_same(wcss, best, MATTERS).sum())
        at_end = int(_is_same(wcss, best).sum())
        if not found:
            return Found(ends[kept], known[kept], len(starts), at_best, at_end)
        at_best += found.searches_at_best if _is_same(found.wcss[0], best, MATTERS) else 0
        at_end += found.searches_at_end if _is_same(found.wcss[0], best) else 0
        return Found(ends[kept], known[kept], found.searches + len(starts), at_best, at_end)


def _matched(centroids: Floats, others: Floats) -> Floats:
    """Return the other (k, d) centroids in the order of those that they are nearest to."""
    load_libraries()
    from scipy.optimize import linear_sum_assignment

    squared = ((centroids[:, None] - others) ** 2).sum(axis=2)
    return others[linear_sum_assignment(squared)[1]]


def _drawn(
    coordinates: Floats, weights: Floats, centroids: Floats, dropped: Integers, draw: Floats
) -> Integers:
    """Return a point for each of (s, k, d) centroids, by its cost without the one dropped.

    The draws are (s,) numbers between 0 and 1.
    """
    squared = np.matmul(centroids, coordinates.T)
    squared *= -2
    squared += (centroids**2).sum(axis=2)[:, :, None]
    squared[np.arange(len(centroids)), dropped] = np.inf
    cost = squared.min(axis=1) + (coordinates**2).sum(axis=1)
    mass = np.cumsum(np.maximum(cost, 0.0) * weights, axis=1)
    place = (mass <= (draw * mass[:, -1])[:, None]).sum(axis=1)
    return place.clip(max=len(weights) - 1)


def _is_same(wcss: Floats, other: Floats, share: float = SAME_WCSS) -> NDArray[np.bool_]:
    return np.abs(wcss - other) <= share * np.maximum(wcss, other)
