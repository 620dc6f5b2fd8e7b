"""Which new segment is which old one: keys that stay when a model is fitted again.

New centroids are matched to the registered ones by the assignment problem, in the scale of the
registered model, and a match counts only if the same customers are behind it. What is left over is
explained: a segment was split, merged with another, appeared or retired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.optimize import linear_sum_assignment

from mall_segments.lloyd import Floats, Integers, nearest_centroid
from mall_segments.weighted_points import WeightedPoints, mean_of_groups, weight_of_groups

# A centroid that moved further, in standard deviations of the registered model, has moved.
MOVED_SHIFT = 0.25
# Two segments with this Jaccard similarity are the same, wherever their centroids are.
SAME_JACCARD = 0.25
# So are two with centroids this near, if one holds half of the other.
SAME_PLACE_SHIFT = 0.5
HALF = 0.5
# Parts smaller than this of what was split are the movement of a border.
LEAST_PART = 0.15
# A part of a split lies within this many root mean square radii of the segment it was part of.
REACH = 2.0
# A segment with less than this of the customers it was fitted on is empty.
EMPTIED = 0.25


class Verdict(StrEnum):
    """What became of a segment."""

    KEPT = "kept"
    MOVED = "moved"
    SPLIT = "split"
    MERGED = "merged"
    NEW = "new"
    RETIRED = "retired"


@dataclass(frozen=True)
class Registered:
    """The segments of a registered model, in the scale of that model.

    Attributes
    ----------
    keys : k segment keys
    centroids : (k, d) array
    radii : (k,) array, root mean square distance of the members to the centroid when fitted
    shares : (k,) array, share of the customers when fitted
    """

    keys: tuple[str, ...]
    centroids: Floats
    radii: Floats
    shares: Floats


@dataclass(frozen=True)
class Identity:
    """A segment, registered or new, and what became of it.

    Attributes
    ----------
    key : segment key
    verdict : Verdict
    related : keys it was split from, merged from or merged into
    cluster : number of the new cluster; None for a segment that is no more
    shift : distance from the registered to the new centroid; None for one that has only one of them
    """

    key: str
    verdict: Verdict
    related: tuple[str, ...] = ()
    cluster: int | None = None
    shift: float | None = None


def first_identities(k: int) -> list[Identity]:
    """Return the identities of a first model: keys in the order of its clusters."""
    return [Identity(segment_key(number), Verdict.NEW, cluster=number) for number in range(k)]


def identify(
    registered: Registered,
    points: WeightedPoints,
    labels: Integers,
    used_keys: Sequence[str],
) -> list[Identity]:
    """Return what became of each segment: new clusters in their order, then those that are no more.

    Parameters
    ----------
    registered : Registered
        k segments.
    points : WeightedPoints
        The customers of today in the scale of the registered model.
    labels : (m,) array
        New cluster 0..l-1 of each point.
    used_keys : sequence of str
        Every key that was ever given; a new segment gets the next number.

    Examples
    --------
    >>> registered = Registered(("S1", "S2"), np.array([[0.0], [9.0]]), np.ones(2), np.ones(2) / 2)
    >>> points = WeightedPoints.from_rows(np.array([[0.0], [1.0], [9.0], [10.0]]))
    >>> for one in identify(registered, points, np.array([1, 1, 0, 0]), ["S1", "S2"]):
    ...     print(one.key, one.verdict, one.cluster)
    S2 moved 0
    S1 moved 1
    """
    clusters = int(labels.max()) + 1
    overlap = contingency(registered, points, labels, clusters)
    centroids = mean_of_groups(points.coordinates, points.weights, labels, clusters)
    shift = np.sqrt(((registered.centroids[:, None] - centroids[None]) ** 2).sum(axis=2))
    matches = _match(overlap, shift)
    parts = _parts(registered, overlap, shift)
    sources = _sources(registered, overlap, matches)
    next_number = max((int(key[1:]) for key in used_keys), default=0)
    identities = []
    for cluster in range(clusters):
        old = matches.get(cluster)
        origin = next((o for o, found in parts.items() if cluster in found), None)
        key = registered.keys[old] if old is not None else None
        if key is None:
            next_number += 1
            key = segment_key(next_number - 1)
        related: tuple[str, ...] = ()
        moved = None if old is None else float(shift[old, cluster])
        if origin is not None:
            verdict, related = Verdict.SPLIT, (registered.keys[origin],)
        elif old is None or moved is None:
            verdict = Verdict.NEW
        elif cluster in sources:
            verdict = Verdict.MERGED
            related = tuple(registered.keys[one] for one in (old, *sources[cluster]))
        else:
            verdict = Verdict.KEPT if moved <= MOVED_SHIFT else Verdict.MOVED
        identities.append(Identity(key, verdict, related, cluster, moved))
    into = {old: cluster for cluster, olds in sources.items() for old in olds}
    for old in sorted(set(range(len(registered.keys))) - set(matches.values())):
        if old in into:
            found = (identities[into[old]].key,)
            identities.append(Identity(registered.keys[old], Verdict.MERGED, found))
        else:
            identities.append(Identity(registered.keys[old], Verdict.RETIRED))
    return identities


def contingency(
    registered: Registered, points: WeightedPoints, labels: Integers, clusters: int
) -> Floats:
    """Return the (k, l) customers by the segment the registered model sees and the new cluster."""
    old, _ = nearest_centroid(points.coordinates, registered.centroids)
    cell = old * clusters + labels
    cells = len(registered.keys) * clusters
    return weight_of_groups(cell, points.weights, cells).reshape(-1, clusters)


def adjusted_rand_index(table: Floats) -> float:
    """Agreement of two partitions, 1 for the same and about 0 for unrelated ones.

    Parameters
    ----------
    table : (k, l) array
        Customers by both partitions.

    Notes
    -----
    Source: Hubert and Arabie (1985), Comparing partitions.

    Examples
    --------
    >>> adjusted_rand_index(np.array([[3.0, 0.0], [0.0, 2.0]]))
    1.0
    """
    pairs, rows, columns = (
        float((counts * (counts - 1)).sum()) / 2
        for counts in (table, table.sum(axis=1), table.sum(axis=0))
    )
    total = float(table.sum())
    expected = rows * columns / (total * (total - 1) / 2) if total > 1 else 0.0
    largest = (rows + columns) / 2
    return 1.0 if largest == expected else (pairs - expected) / (largest - expected)


def explained_table(table: Floats, keys: Sequence[str], identities: Sequence[Identity]) -> Floats:
    """Return the contingency table with splits and mergers undone and new segments left out.

    What remains off its diagonal is the change that no verdict explains.
    """
    group = {key: key for key in keys}
    for one in identities:
        if one.verdict is Verdict.MERGED and one.cluster is not None:
            group |= dict.fromkeys(one.related, one.key)
    target = [
        None
        if one.verdict is Verdict.NEW
        else group.get(one.related[0] if one.verdict is Verdict.SPLIT else one.key, one.key)
        for one in identities
        if one.cluster is not None
    ]
    names = sorted({*group.values(), *(name for name in target if name)})
    grouped = np.zeros((len(names), len(names)))
    for row, key in enumerate(keys):
        for column, name in enumerate(target):
            if name is not None:
                grouped[names.index(group[key]), names.index(name)] += table[row, column]
    return grouped


def segment_key(number: int) -> str:
    """Return the key of a segment from its number, 0 for the first.

    >>> segment_key(0)
    'S1'
    """
    return f"S{number + 1}"


def _match(overlap: Floats, shift: Floats) -> dict[int, int]:
    """Return the registered segment of each new cluster that has one."""
    in_old, in_new = overlap.sum(axis=1)[:, None], overlap.sum(axis=0)[None]
    union = in_old + in_new - overlap
    jaccard = overlap / np.where(union > 0, union, 1.0)
    smaller = np.minimum(in_old, in_new)
    covered = overlap / np.where(smaller > 0, smaller, 1.0)
    same = (jaccard >= SAME_JACCARD) | ((shift <= SAME_PLACE_SHIFT) & (covered >= HALF))
    return {
        int(cluster): int(old)
        for old, cluster in zip(*linear_sum_assignment(shift + 1 - jaccard), strict=True)
        if same[old, cluster]
    }


def _parts(registered: Registered, overlap: Floats, shift: Floats) -> dict[int, list[int]]:
    """Return the clusters that each split segment became."""
    of_cluster = overlap >= HALF * overlap.sum(axis=0)[None]
    of_segment = overlap >= LEAST_PART * overlap.sum(axis=1)[:, None]
    inside = shift <= REACH * registered.radii[:, None]
    is_part = of_cluster & of_segment & inside & (overlap > 0)
    parts = {old: np.flatnonzero(row).tolist() for old, row in enumerate(is_part)}
    return {old: found for old, found in parts.items() if len(found) > 1}


def _sources(
    registered: Registered, overlap: Floats, matches: dict[int, int]
) -> dict[int, list[int]]:
    """Return the unmatched segments that went into each cluster that has a match."""
    customers = overlap.sum(axis=1)
    is_empty = customers < EMPTIED * registered.shares * overlap.sum()
    sources: dict[int, list[int]] = {}
    for old in sorted(set(range(len(registered.keys))) - set(matches.values())):
        cluster = int(overlap[old].argmax())
        mostly = overlap[old, cluster] >= HALF * customers[old]
        if mostly and not is_empty[old] and cluster in matches:
            sources.setdefault(cluster, []).append(old)
    return sources
