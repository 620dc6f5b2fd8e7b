"""Fits of resampled or simulated data, as batches: the engine of stability and gap statistic."""

from __future__ import annotations

import numpy as np

from mall_segments.lloyd import Floats, Integers, kmeans_plus_plus, lloyd


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
        k-means++ starts per data set; the best counts.
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
    batch = lloyd(repeated_points, repeated_weights, centroids)
    best = batch.wcss.reshape(sets, starts).argmin(axis=1) + starts * np.arange(sets)
    return batch.labels[best], batch.wcss[best]
