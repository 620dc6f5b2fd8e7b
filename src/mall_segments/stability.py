"""Bootstrap stability of clusters.

Source: Hennig (2007), Cluster-wise assessment of cluster stability. A cluster with a mean Jaccard
similarity of 0.75 or more is stable; at 0.5 or less it is dissolved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mall_segments.lloyd import Floats, Integers, nearest_centroid
from mall_segments.resampling import fit_batch
from mall_segments.weighted_points import WeightedPoints

STABLE_JACCARD = 0.75
# For the panel of every k, and for the certificate of the segments that are served.
RESAMPLES = 50
CERTIFICATE_RESAMPLES = 200
STARTS = 8
RESAMPLED_POINTS = 500
BOOTSTRAP_SEED = 2007


@dataclass(frozen=True)
class Certificate:
    """What B refits of bootstrap samples say of k clusters.

    Attributes
    ----------
    centroids : (k, d) array of the clusters
    jaccard : (B, k) array, similarity of each cluster with its best match in each refit
    match : (B, k) array, number of that match
    refits : (B, k, d) array, centroids of the refits
    """

    centroids: Floats
    jaccard: Floats
    match: Integers
    refits: Floats

    @property
    def mean(self) -> Floats:
        """(k,) mean Jaccard similarity of each cluster."""
        return self.jaccard.mean(axis=0)

    def interval(self, share: float = 0.95) -> tuple[Floats, Floats]:
        """Return the (k,) bounds between which that share of the refits lies."""
        tail = (1 - share) / 2
        low, high = np.quantile(self.jaccard, [tail, 1 - tail], axis=0)
        return low, high

    def probability(self, coordinates: Floats) -> Floats:
        """Return for each point the share of the refits that put it into its own cluster.

        Parameters
        ----------
        coordinates : (m, d) array
        """
        own, _ = nearest_centroid(coordinates, self.centroids)
        agreed = np.zeros(len(coordinates))
        for match, refit in zip(self.match, self.refits, strict=True):
            agreed += nearest_centroid(coordinates, refit)[0] == match[own]
        return agreed / len(self.refits)


def bootstrap_jaccard(points: WeightedPoints, centroids: Floats) -> Floats:
    """Mean Jaccard similarity of each cluster with its best match in RESAMPLES refits, (k,) array.

    The time grows with the points: coarsen many of them to RESAMPLED_POINTS.
    """
    return certify(points, centroids, RESAMPLES).mean


def certify(
    points: WeightedPoints, centroids: Floats, resamples: int = CERTIFICATE_RESAMPLES
) -> Certificate:
    """Refit bootstrap samples and compare them with the clusters.

    Parameters
    ----------
    points : WeightedPoints
        A bootstrap sample of the customers is a multinomial draw of the weights.
    centroids : (k, d) array
        The clusters that are judged: each point belongs to the nearest.
    resamples : int
        Number B of samples.

    Notes
    -----
    The similarity is counted over the customers of the sample, as often as they were drawn. The
    draws have a seed of their own, so that the figure belongs to the data and not to the fit.
    """
    k = len(centroids)
    if k == 1:
        return Certificate(
            centroids=centroids,
            jaccard=np.ones((resamples, 1)),
            match=np.zeros((resamples, 1), dtype=np.intp),
            refits=np.broadcast_to(centroids, (resamples, *centroids.shape)),
        )
    labels, _ = nearest_centroid(points.coordinates, centroids)
    generator = np.random.default_rng([BOOTSTRAP_SEED, k])
    share = points.weights / points.weights.sum()
    drawn = generator.multinomial(round(points.customers), share, size=resamples).astype(float)
    coordinates = np.broadcast_to(points.coordinates, (resamples, *points.coordinates.shape))
    refits, _ = fit_batch(coordinates, drawn, k, STARTS, generator)
    clusters = np.arange(k)
    original = (labels[:, None] == clusters).astype(float)
    refitted = (refits[:, :, None] == clusters).astype(float)
    shared = np.einsum("bm,mc,bmr->bcr", drawn, original, refitted, optimize=True)
    in_original = drawn @ original
    in_refit = np.einsum("bm,bmr->br", drawn, refitted)
    union = in_original[:, :, None] + in_refit[:, None, :] - shared
    jaccard = shared / np.where(union > 0, union, 1.0)
    sums = np.einsum("bm,bmr,md->brd", drawn, refitted, points.coordinates, optimize=True)
    means = sums / np.where(in_refit > 0, in_refit, 1.0)[:, :, None]
    return Certificate(centroids, jaccard.max(axis=2), jaccard.argmax(axis=2), means)
