"""The stored model: what assigns customers until a better one is promoted.

A model is the scaling of its features and the centroid of each segment. Every fit is recorded; the
last one that was promoted serves. A fit that fails a gate is kept with the reasons, and the model
before it goes on serving.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mall_segments.assignment import Scaling
from mall_segments.errors import MallSegmentsError
from mall_segments.identity import (
    Identity,
    Registered,
    adjusted_rand_index,
    contingency,
    explained_table,
    first_identities,
    identify,
)
from mall_segments.kmeans import KMeansFit
from mall_segments.lloyd import Floats
from mall_segments.stability import RESAMPLED_POINTS, Certificate, certify
from mall_segments.weighted_points import WeightedPoints, weight_of_groups


class NoStoredModelError(MallSegmentsError):
    """Customers should be scored by a stored model that is not there."""

    def __init__(self, feature_set: str) -> None:
        super().__init__(
            "NO_STORED_MODEL",
            f"There is no stored model of {feature_set}, and refit is false.",
            "Build once with refit: true.",
        )


@dataclass(frozen=True)
class StoredModel:
    """A model that serves.

    Attributes
    ----------
    model_id : build that fitted it
    scaling : Scaling of each of the d features
    registered : its k segments, in its own scale
    """

    model_id: str
    scaling: tuple[Scaling, ...]
    registered: Registered


@dataclass(frozen=True)
class Gates:
    """What a refit must meet to take the place of the stored model.

    Attributes
    ----------
    min_segment_stability : smallest mean bootstrap Jaccard similarity of a segment
    min_segment_share : smallest share of the customers in a segment
    min_adjusted_rand_index : least agreement with the stored model on the customers of today, after
        splits, mergers and new segments are explained
    max_population_shift : largest distance of the mean of a feature from that of the stored model,
        in its standard deviations
    """

    min_segment_stability: float
    min_segment_share: float
    min_adjusted_rand_index: float
    max_population_shift: float


@dataclass(frozen=True)
class Challenger:
    """A fit, which of its segments are which, and whether it serves from now on.

    Attributes
    ----------
    fit : KMeansFit
    radii : (k,) array, root mean square distance of the members of each segment to its centroid
    certificate : Certificate of its segments
    identities : what became of every segment
    adjusted_rand_index : agreement with the stored model on the customers of today; None without
    is_promoted, decision : whether it serves, and why
    """

    fit: KMeansFit
    radii: Floats
    certificate: Certificate
    identities: list[Identity]
    adjusted_rand_index: float | None
    is_promoted: bool
    decision: str


def challenge(
    fit: KMeansFit,
    points: WeightedPoints,
    scaling: Sequence[Scaling],
    champion: StoredModel | None,
    used_keys: Sequence[str],
    gates: Gates,
    *,
    promote: bool = False,
) -> Challenger:
    """Judge a fit against the stored model.

    Parameters
    ----------
    fit : KMeansFit
        Of `points`.
    points : WeightedPoints
        The customers of today, scaled by `scaling`.
    scaling : sequence of Scaling
    champion : StoredModel or None
        The model that serves, of the same features.
    used_keys : sequence of str
        Every segment key that was ever given for these features.
    gates : Gates
    promote : bool
        Promote the fit whatever the gates say.
    """
    certificate = certify(points.coarsened(RESAMPLED_POINTS), fit.centroids)
    identities, table = first_identities(fit.k), None
    if champion:
        seen = in_scale_of(champion, points, scaling)
        identities = identify(champion.registered, seen, fit.labels, used_keys)
        table = contingency(champion.registered, seen, fit.labels, fit.k)
    failed = _failed_gates(fit, certificate, identities, table, scaling, champion, gates)
    if champion is None:
        decision = "Promoted: the first model of these features."
        if failed:
            decision = f"{decision} Treat it with caution: {'; '.join(failed)}."
    elif not failed:
        decision = "Promoted: every gate is met."
    elif promote:
        decision = f"Promoted by request, against the gates: {'; '.join(failed)}."
    else:
        decision = f"Not promoted: {'; '.join(failed)}."
    return Challenger(
        fit=fit,
        radii=_radii(fit, points),
        certificate=certificate,
        identities=identities,
        adjusted_rand_index=None if table is None else adjusted_rand_index(table),
        is_promoted=champion is None or not failed or promote,
        decision=decision,
    )


def in_scale_of(
    model: StoredModel, points: WeightedPoints, scaling: Sequence[Scaling]
) -> WeightedPoints:
    """Return points that are scaled by `scaling` in the scale of a model, in the same order."""
    columns = [
        (points.coordinates[:, index] * own.scale + own.mean - stored.mean) / stored.scale
        for index, (own, stored) in enumerate(zip(scaling, model.scaling, strict=True))
    ]
    return WeightedPoints(np.stack(columns, axis=1), points.weights)


def _failed_gates(
    fit: KMeansFit,
    certificate: Certificate,
    identities: Sequence[Identity],
    table: Floats | None,
    scaling: Sequence[Scaling],
    champion: StoredModel | None,
    gates: Gates,
) -> list[str]:
    failed = []
    weakest = int(certificate.mean.argmin())
    keys = [one.key for one in identities if one.cluster is not None]
    if certificate.mean[weakest] < gates.min_segment_stability:
        failed.append(
            f"the bootstrap Jaccard of {keys[weakest]} is {certificate.mean[weakest]:.2f}, below "
            f"min_segment_stability {gates.min_segment_stability}"
        )
    share = fit.cluster_weights / fit.cluster_weights.sum()
    if share.min() < gates.min_segment_share:
        failed.append(
            f"{keys[int(share.argmin())]} has {share.min():.1%} of the customers, below "
            f"min_segment_share {gates.min_segment_share}"
        )
    if champion is None or table is None:
        return failed
    explained = adjusted_rand_index(explained_table(table, champion.registered.keys, identities))
    if explained < gates.min_adjusted_rand_index:
        failed.append(
            f"the adjusted Rand index with the stored model is {explained:.2f} after what is "
            f"explained, below min_adjusted_rand_index {gates.min_adjusted_rand_index}"
        )
    for own, stored in zip(scaling, champion.scaling, strict=True):
        shift = abs(own.mean - stored.mean) / stored.scale
        if shift > gates.max_population_shift:
            failed.append(
                f"the mean of {own.feature} is {shift:.2f} standard deviations from that of the "
                f"stored model, above max_population_shift {gates.max_population_shift}"
            )
    return failed


def _radii(fit: KMeansFit, points: WeightedPoints) -> Floats:
    squared = ((points.coordinates - fit.centroids[fit.labels]) ** 2).sum(axis=1)
    return np.sqrt(
        weight_of_groups(fit.labels, points.weights * squared, fit.k) / fit.cluster_weights
    )
