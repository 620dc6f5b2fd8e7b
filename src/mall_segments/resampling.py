"""Fits of resampled or simulated data, as batches: the engine of stability and gap statistic."""

from __future__ import annotations

import numpy as np

from mall_segments.lloyd import Floats, Integers, kmeans_plus_plus, lloyd

STARTS = 8


def fit_batch(
    coordinates: Floats, weights: Floats, k: int, generator: np.random.Generator
) -> tuple[Integers, Floats]:
    """Fit K-Means to every data set of a batch, the best of a few k-means++ starts each.

    Parameters
    ----------
    coordinates : (B, m, d) array
    weights : (B, m) array
    k : int
    generator : numpy.random.Generator

    Returns
    -------
    labels : (B, m) array
    wcss : (B,) array
    """
    sets = len(weights)
    repeated_points = np.repeat(coordinates, STARTS, axis=0)
    repeated_weights = np.repeat(weights, STARTS, axis=0)
    starts = kmeans_plus_plus(repeated_points, repeated_weights, k, generator)
    batch = lloyd(repeated_points, repeated_weights, starts)
    best = batch.wcss.reshape(sets, STARTS).argmin(axis=1) + STARTS * np.arange(sets)
    return batch.labels[best], batch.wcss[best]
