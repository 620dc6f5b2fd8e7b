"""Fits of resampled or simulated data, as batches: the engine of stability and gap statistic.

The search is that of `search`, cut short: ends of Lloyd's algorithm from k-means++ starts recombine
once.
"""

from __future__ import annotations

import numpy as np

from mall_segments.lloyd import Floats, Integers, kmeans_plus_plus, lloyd
from mall_segments.search import recombine


def fit_batch(
    coordinates: Floats, weights: Floats, k: int, starts: int, generator: np.random.Generator
) -> tuple[Integers, Floats]:
    """Fit K-Means to every data set of a batch.

    Parameters
    ----------
    coordinates : (B, m, d) array
    weights : (B, m) array
    k : int
    starts : int
        k-means++ starts per data set, and as many children of their ends; the best counts.
    generator : numpy.random.Generator

    Returns
    -------
    labels : (B, m) array
    wcss : (B,) array
    """
    sets = len(weights)
    repeated_points = np.repeat(coordinates, starts, axis=0)
    repeated_weights = np.repeat(weights, starts, axis=0)
    centroids = kmeans_plus_plus(repeated_points, repeated_weights, k, generator)
    first = lloyd(repeated_points, repeated_weights, centroids)
    by_set = first.wcss.reshape(sets, starts)
    in_order = by_set.argsort(axis=1) + starts * np.arange(sets)[:, None]
    children = recombine(coordinates, weights, first.centroids[in_order], starts, generator)
    second = lloyd(repeated_points, repeated_weights, children.reshape(centroids.shape))
    wcss = np.hstack([by_set, second.wcss.reshape(sets, starts)])
    labels = np.concatenate(
        [batch.labels.reshape(sets, starts, -1) for batch in (first, second)], axis=1
    )
    best = wcss.argmin(axis=1)
    return labels[np.arange(sets), best], wcss[np.arange(sets), best]
