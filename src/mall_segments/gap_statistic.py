"""The gap statistic: how much more clustered the data are than structureless data would be.

Source: Tibshirani, Walther and Hastie (2001), Estimating the number of clusters in a data set via
the gap statistic.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mall_segments.lloyd import Floats
from mall_segments.resampling import fit_batch
from mall_segments.weighted_points import WeightedPoints

REFERENCE_SETS = 50
STARTS = 4
REFERENCE_CUSTOMERS = 500
GAP_SEED = 2001


@dataclass(frozen=True)
class Gap:
    """Gap statistic at one k, in natural logarithms, with the simulation error s_k."""

    value: float
    standard_error: float


def gap_statistics(points: WeightedPoints, wcss_by_k: list[float]) -> list[Gap | None]:
    """Compare the objective at k = 1, 2, ... with that of uniform reference data.

    Parameters
    ----------
    points : WeightedPoints
    wcss_by_k : list of float
        Objective of the data at k = 1, 2, and so on.

    Returns
    -------
    list of Gap or None
        None where the data are fitted without error, so that the logarithm does not exist.

    Notes
    -----
    Reference sets are uniform over the box aligned with the principal components (the paper's
    choice b). They hold as many customers as the data, at most REFERENCE_CUSTOMERS: only the
    objective per customer is compared, and it does not depend on their number.
    """
    generator = np.random.default_rng(GAP_SEED)
    size = min(round(points.customers), REFERENCE_CUSTOMERS)
    reference = _reference_sets(points, size, generator)
    weights = np.ones(reference.shape[:2])
    gaps: list[Gap | None] = []
    for k, wcss in enumerate(wcss_by_k, start=1):
        if wcss <= 0 or k >= size:
            gaps.append(None)
            continue
        _, reference_wcss = fit_batch(reference, weights, k, STARTS, generator)
        logarithm = np.log(reference_wcss / size)
        gaps.append(
            Gap(
                value=float(logarithm.mean() - np.log(wcss / points.customers)),
                standard_error=float(logarithm.std() * np.sqrt(1 + 1 / REFERENCE_SETS)),
            )
        )
    return gaps


def preferred_k(gaps: list[Gap | None]) -> int | None:
    """Smallest k whose gap is within one standard error of the next, the paper's rule."""
    for k, (gap, following) in enumerate(pairwise(gaps), start=1):
        if gap and following and gap.value >= following.value - following.standard_error:
            return k
    return None


def _reference_sets(points: WeightedPoints, size: int, generator: np.random.Generator) -> Floats:
    centred = points.coordinates - points.mean
    covariance = (centred * points.weights[:, None]).T @ centred
    _, axes = np.linalg.eigh(covariance)
    projected = centred @ axes
    lower, upper = projected.min(axis=0), projected.max(axis=0)
    shape = (REFERENCE_SETS, size, projected.shape[1])
    uniform = lower + (upper - lower) * generator.random(shape)
    return uniform @ axes.T
