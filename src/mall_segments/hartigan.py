"""Hartigan and Wong's local search: single-point moves that lower the weighted K-Means objective.

Lloyd's algorithm stops where every point sits with its nearest centroid. Moving one point to
another cluster can still pay, because both centroids move along with it. The partitions left by
this search are local optima of Lloyd's algorithm as well, and there are far fewer of them.

Source: Hartigan and Wong (1979), Algorithm AS 136; Telgarsky and Vattani (2010), Hartigan's method.
"""

from __future__ import annotations

import numpy as np

from mall_segments.lloyd import Floats, Integers
from mall_segments.weighted_points import WeightedPoints

MINIMUM_RELATIVE_GAIN = 1e-12


def improve_by_single_moves(
    coordinates: Floats, weights: Floats, labels: Integers, k: int
) -> Integers:
    """Apply the best improving move to every partition of a batch until none is left.

    Parameters
    ----------
    coordinates : (m, d) array
        Distinct points; a point moves with its whole weight.
    weights : (m,) array
        Positive weight of each point.
    labels : (S, m) array
        S partitions into clusters 0..k-1, none of them empty.
    k : int

    Returns
    -------
    (S, m) array of labels

    Notes
    -----
    A point of weight w at squared distance a from the centroid of its own cluster (weight A) and b
    from another (weight B) lowers the objective by ``A w / (A - w) a - B w / (B + w) b``.

    Examples
    --------
    >>> points = np.array([[0.0], [4.0], [9.0]])
    >>> improve_by_single_moves(points, np.ones(3), np.array([[0, 1, 1]]), 2).tolist()
    [[0, 0, 1]]
    """
    labels = labels.copy()
    scale = WeightedPoints(coordinates, weights).total_sum_of_squares
    running = np.arange(len(labels))
    while len(running):
        gain, target = _gain_of_each_move(coordinates, weights, labels[running], k)
        point = gain.argmax(axis=1)
        problems = np.arange(len(running))
        improves = gain[problems, point] > MINIMUM_RELATIVE_GAIN * scale
        running, point = running[improves], point[improves]
        labels[running, point] = target[improves, point]
    return labels


def _gain_of_each_move(
    coordinates: Floats, weights: Floats, labels: Integers, k: int
) -> tuple[Floats, Integers]:
    membership = (labels[:, None, :] == np.arange(k)[:, None]).astype(float) * weights
    cluster_weight = membership.sum(axis=2)
    centroids = (membership @ coordinates) / cluster_weight[:, :, None]
    difference = coordinates - centroids[:, :, None, :]
    squared = np.einsum("skmd,skmd->skm", difference, difference)

    own = labels[:, None, :]
    own_squared = np.take_along_axis(squared, own, axis=1)[:, 0]
    own_weight = np.take_along_axis(cluster_weight, labels, axis=1)
    left_behind = own_weight - weights
    removal = np.where(
        left_behind > 0,
        own_weight * weights / np.where(left_behind > 0, left_behind, 1.0) * own_squared,
        0.0,
    )
    joined = cluster_weight[:, :, None]
    insertion = joined * weights / (joined + weights) * squared
    np.put_along_axis(insertion, own, np.inf, axis=1)
    target = insertion.argmin(axis=1)
    cheapest = np.take_along_axis(insertion, target[:, None, :], axis=1)[:, 0]
    return removal - cheapest, target
