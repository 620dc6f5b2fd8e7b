"""What the segmentation models call: relations of the engine in, a relation of the engine out."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from mall_segments.assignment import Scaling
from mall_segments.duckdb_engine import (
    assign,
    read_points,
    read_rows,
    read_scaling,
    relation_from_rows,
)
from mall_segments.errors import MissingSelectionError
from mall_segments.kmeans import fit_kmeans
from mall_segments.segment_candidates import Candidate, evaluate_candidates
from mall_segments.settings import (
    LARGEST_K,
    feature_set_name,
    parse_feature_sets,
    parse_features,
    parse_integer,
    parse_k,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyConnection, DuckDBPyRelation

LARGEST_SEED = 2**32 - 1

CANDIDATE_COLUMNS = (
    ("feature_set", "varchar"),
    ("k", "integer"),
    ("wcss", "double"),
    ("silhouette", "double"),
    ("calinski_harabasz", "double"),
    ("davies_bouldin", "double"),
    ("gap", "double"),
    ("gap_standard_error", "double"),
    ("stability_jaccard", "double"),
    ("weakest_segment_jaccard", "double"),
    ("restarts", "integer"),
    ("restarts_at_best", "integer"),
    ("is_elbow", "boolean"),
    ("is_selected", "boolean"),
    ("selection_reason", "varchar"),
    ("scikit_learn_version", "varchar"),
    ("mall_segments_version", "varchar"),
)


def segment_candidates(
    session: DuckDBPyConnection,
    points: DuckDBPyRelation,
    scaling: DuckDBPyRelation,
    settings: Mapping[str, object],
) -> DuckDBPyRelation:
    """Return one row per feature set and k with every criterion and the decision.

    Parameters
    ----------
    session : DuckDB connection
    points : relation of `int_feature_points`
    scaling : relation of `int_feature_scaling`
    settings : mapping
        `segmentation_features`, `compared_feature_sets`, `k`, `k_max` and `random_state`.

    Returns
    -------
    relation with CANDIDATE_COLUMNS, without rows where there are no customers

    Raises
    ------
    SettingError, TooFewPointsError
    """
    chosen = parse_features(settings["segmentation_features"])
    feature_sets = dict.fromkeys([chosen, *parse_feature_sets(settings["compared_feature_sets"])])
    k = parse_k(settings["k"])
    k_max = parse_integer(settings["k_max"], "k_max", 2, LARGEST_K)
    random_state = parse_integer(settings["random_state"], "random_state", 0, LARGEST_SEED)
    candidates: list[Candidate] = []
    if read_scaling(scaling, chosen):
        points_by_features = {
            features: read_points(points, read_scaling(scaling, features))
            for features in feature_sets
        }
        candidates = evaluate_candidates(points_by_features, chosen, k, k_max, random_state)
    return relation_from_rows(session, CANDIDATE_COLUMNS, [_row(row) for row in candidates])


def customer_segments(
    customers: DuckDBPyRelation,
    points: DuckDBPyRelation,
    scaling: DuckDBPyRelation,
    candidates: DuckDBPyRelation,
    settings: Mapping[str, object],
) -> DuckDBPyRelation:
    """Fit K-Means at the selected k and return the lazy assignment of every customer.

    Parameters
    ----------
    customers : relation of `int_customer_features`
    points : relation of `int_feature_points`
    scaling : relation of `int_feature_scaling`
    candidates : relation of `ml_segment_candidates`
    settings : mapping
        `segmentation_features` and `random_state`.

    Returns
    -------
    relation as described in `assignment.assignment_steps`

    Raises
    ------
    SettingError
    MissingSelectionError
        If the candidates were built for other features.
    """
    features = parse_features(settings["segmentation_features"])
    random_state = parse_integer(settings["random_state"], "random_state", 0, LARGEST_SEED)
    feature_scaling = read_scaling(scaling, features)
    if not feature_scaling:
        neutral = [Scaling(feature, 0.0, 1.0, 0.0, 0.0) for feature in features]
        return assign(customers, neutral, np.zeros((1, len(features))))
    selected = {
        feature_set: k
        for feature_set, k, is_selected in read_rows(
            candidates, ("feature_set", "k", "is_selected")
        )
        if is_selected
    }
    if feature_set_name(features) not in selected:
        raise MissingSelectionError(feature_set_name(features), sorted(selected))
    weighted_points = read_points(points, feature_scaling)
    fit = fit_kmeans(weighted_points, selected[feature_set_name(features)], random_state)
    return assign(customers, feature_scaling, fit.centroids)


def _row(candidate: Candidate) -> list[object]:
    versions = {
        "scikit_learn_version": version("scikit-learn"),
        "mall_segments_version": version("mall-segments"),
    }
    fields = {**vars(candidate), **vars(candidate.criteria), **versions}
    return [fields[name] for name, _ in CANDIDATE_COLUMNS]
