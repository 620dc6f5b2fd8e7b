"""The panel of candidates: every criterion for every k of every feature set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mall_segments.criteria import calinski_harabasz, davies_bouldin, silhouettes
from mall_segments.gap_statistic import gap_statistics, preferred_k
from mall_segments.k_choice import (
    SMALLEST_SHARE,
    Criteria,
    choose_k,
    elbow,
    explain_choice,
    explain_comparison,
)
from mall_segments.kmeans import KMeansFit, fit_kmeans_path
from mall_segments.search import DEFAULT_EFFORT
from mall_segments.settings import feature_set_name
from mall_segments.stability import RESAMPLED_POINTS, bootstrap_jaccard
from mall_segments.weighted_points import WeightedPoints

# Takes a fit of points that stand for several customers each, and returns that of all customers
# with its Davies-Bouldin index.
Finish = Callable[[KMeansFit], tuple[KMeansFit, float | None]]


@dataclass(frozen=True)
class Candidate:
    """One row of the panel: a feature set, a k, its criteria and what was decided about it."""

    feature_set: str
    criteria: Criteria
    is_elbow: bool
    is_selected: bool
    selection_reason: str


def evaluate_candidates(
    points_by_features: Mapping[tuple[str, ...], WeightedPoints],
    segmentation_features: tuple[str, ...],
    k: int | None,
    k_max: int,
    random_state: int = 0,
    finish: Finish | None = None,
    effort: int = DEFAULT_EFFORT,
    smallest_share: float = SMALLEST_SHARE,
) -> list[Candidate]:
    """Judge k = 1..k_max for every feature set and choose one row.

    Parameters
    ----------
    points_by_features : mapping of feature names to WeightedPoints
        Scaled points of each feature set to compare; must hold the segmentation features.
    segmentation_features : tuple of str
        The feature set the segments are made of.
    k : int or None
        Number of segments, None to let the rule of `k_choice` decide.
    k_max : int
        Largest k of the panel; a larger forced k extends it.
    random_state : int
        Seed that scikit-learn gets.
    finish : Finish, optional
        Makes the fit of the chosen row one of all customers, where points stand for several.
    effort : int
        How long to search for each partition.
    smallest_share : float
        Share of the customers that the smallest segment must have, while some k is like that.

    Raises
    ------
    TooFewPointsError
        If a forced k exceeds the distinct points.
    """
    points_by_features[segmentation_features].require_at_least(k or 1)
    candidates: list[Candidate] = []
    for features, points in points_by_features.items():
        largest = min(max(k_max, k or 1), len(points))
        path = fit_kmeans_path(points, largest, random_state, effort)
        panel, gap_k = _panel(points, path)
        if features == segmentation_features:
            selected = k or choose_k(panel, smallest_share)
            reasons = explain_choice(
                panel,
                selected,
                forced=k is not None,
                gap_k=gap_k,
                smallest_share=smallest_share,
            )
            if finish:
                row = panel[selected - 1]
                panel[selected - 1] = _finished(row, points, *finish(path[selected - 1]))
        else:
            selected = None
            reasons = dict.fromkeys(
                range(1, largest + 1), explain_comparison(panel, gap_k, smallest_share)
            )
        bend = elbow([row.wcss for row in panel])
        candidates += [
            Candidate(
                feature_set=feature_set_name(features),
                criteria=row,
                is_elbow=row.k == bend,
                is_selected=row.k == selected,
                selection_reason=reasons[row.k],
            )
            for row in panel
        ]
    return candidates


def _finished(
    row: Criteria, points: WeightedPoints, fit: KMeansFit, davies_bouldin: float | None
) -> Criteria:
    """Return a row with what is known of all customers."""
    return replace(
        row,
        wcss=fit.wcss,
        calinski_harabasz=calinski_harabasz(points, fit.wcss, fit.k),
        davies_bouldin=davies_bouldin,
    )


def _panel(points: WeightedPoints, path: Sequence[KMeansFit]) -> tuple[list[Criteria], int | None]:
    gaps = gap_statistics(points, [fit.wcss for fit in path])
    widths = silhouettes(points, [fit.labels for fit in path])
    resampled = points.coarsened(RESAMPLED_POINTS)
    panel = []
    for fit, gap, silhouette in zip(path, gaps, widths, strict=True):
        jaccard = bootstrap_jaccard(resampled, fit.centroids)
        panel.append(
            Criteria(
                k=fit.k,
                wcss=fit.wcss,
                silhouette=silhouette.mean if silhouette else None,
                silhouette_standard_error=silhouette.standard_error if silhouette else None,
                calinski_harabasz=calinski_harabasz(points, fit.wcss, fit.k),
                davies_bouldin=davies_bouldin(points, fit.labels, fit.centroids),
                gap=gap.value if gap else None,
                gap_standard_error=gap.standard_error if gap else None,
                stability_jaccard=float(jaccard.mean()),
                weakest_segment_jaccard=float(jaccard.min()),
                restarts=fit.restarts,
                restarts_at_best=fit.restarts_at_best,
                runner_up_wcss=fit.runner_up_wcss,
                runner_up_customers=fit.runner_up_customers,
                smallest_segment_share=float(fit.cluster_weights.min() / points.customers),
            )
        )
    return panel, preferred_k(gaps)
