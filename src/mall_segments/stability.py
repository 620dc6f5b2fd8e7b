"""Bootstrap stability of clusters.

Source: Hennig (2007), Cluster-wise assessment of cluster stability. A cluster with a mean Jaccard
similarity of 0.75 or more is stable; at 0.5 or less it is dissolved.
"""

from __future__ import annotations

import numpy as np

from mall_segments.lloyd import Floats, nearest_centroid
from mall_segments.resampling import fit_batch
from mall_segments.weighted_points import WeightedPoints

STABLE_JACCARD = 0.75
RESAMPLES = 50
STARTS = 8
RESAMPLED_POINTS = 500
BOOTSTRAP_SEED = 2007


def bootstrap_jaccard(points: WeightedPoints, centroids: Floats) -> Floats:
    """Mean Jaccard similarity of each cluster with its best match in refits of bootstrap samples.

    Parameters
    ----------
    points : WeightedPoints
        A bootstrap sample of the customers is a multinomial draw of the weights. The time grows
        with the points: coarsen many of them to RESAMPLED_POINTS.
    centroids : (k, d) array
        The clusters that are judged: each point belongs to the nearest.

    Returns
    -------
    (k,) array, each between 0 and 1

    Notes
    -----
    The similarity is counted over the customers of the sample, as often as they were drawn. The
    draws have a seed of their own, so that the figure belongs to the data and not to the fit.
    """
    k = len(centroids)
    if k == 1:
        return np.ones(1)
    labels = nearest_centroid(points.coordinates[None], centroids[None])[0][0]
    generator = np.random.default_rng([BOOTSTRAP_SEED, k])
    share = points.weights / points.weights.sum()
    resamples = generator.multinomial(round(points.customers), share, size=RESAMPLES).astype(float)
    coordinates = np.broadcast_to(points.coordinates, (RESAMPLES, *points.coordinates.shape))
    refits, _ = fit_batch(coordinates, resamples, k, STARTS, generator)
    clusters = np.arange(k)
    original = (labels[:, None] == clusters).astype(float)
    refitted = (refits[:, :, None] == clusters).astype(float)
    shared = np.einsum("bm,mc,bmr->bcr", resamples, original, refitted, optimize=True)
    in_original = resamples @ original
    in_refit = np.einsum("bm,bmr->br", resamples, refitted)
    union = in_original[:, :, None] + in_refit[:, None, :] - shared
    jaccard = shared / np.where(union > 0, union, 1.0)
    return jaccard.max(axis=2).mean(axis=0)
