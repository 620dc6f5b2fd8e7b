"""What the segmentation models call: relations of the engine in, a relation of the engine out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from mall_segments.assignment import CUSTOMER_COLUMNS, Scaling
from mall_segments.criteria import davies_bouldin_of_spread
from mall_segments.duckdb_engine import (
    assign,
    read_rows,
    read_scaling,
    relation_from_columns,
    relation_from_rows,
)
from mall_segments.engine_passes import Passes
from mall_segments.engine_points import read_columns, read_points, standardised, vectors_at_most
from mall_segments.engines import missing_table_errors, on_any_engine
from mall_segments.errors import MissingSelectionError, NotAppendedError
from mall_segments.identity import Registered
from mall_segments.kmeans import KMeansFit, fit_kmeans
from mall_segments.lloyd import nearest_centroid
from mall_segments.search import LARGEST_EFFORT
from mall_segments.segment_candidates import Candidate, Finish, evaluate_candidates
from mall_segments.segment_rules import fit_rules
from mall_segments.settings import (
    LARGEST_K,
    PROFILE_FEATURES,
    feature_set_name,
    parse_feature_sets,
    parse_features,
    parse_flag,
    parse_integer,
    parse_k,
    parse_number,
)
from mall_segments.sql_text import literal
from mall_segments.stability import RESAMPLED_POINTS, certify
from mall_segments.stored_model import Challenger, Gates, NoStoredModelError, StoredModel, challenge
from mall_segments.threads import on_one_thread
from mall_segments.weighted_points import WeightedPoints

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

LARGEST_SEED = 2**32 - 1

CANDIDATE_COLUMNS = (
    ("feature_set", "string"),
    ("k", "integer"),
    ("wcss", "double"),
    ("silhouette", "double"),
    ("silhouette_standard_error", "double"),
    ("calinski_harabasz", "double"),
    ("davies_bouldin", "double"),
    ("gap", "double"),
    ("gap_standard_error", "double"),
    ("stability_jaccard", "double"),
    ("weakest_segment_jaccard", "double"),
    ("restarts", "integer"),
    ("restarts_at_best", "integer"),
    ("runner_up_wcss", "double"),
    ("runner_up_customers", "bigint"),
    ("is_elbow", "boolean"),
    ("is_selected", "boolean"),
    ("selection_reason", "string"),
    ("scikit_learn_version", "string"),
    ("mall_segments_version", "string"),
)
RULE_COLUMNS = (
    ("segment_key", "string"),
    ("rule", "string"),
    ("customers", "bigint"),
    ("rule_precision", "double"),
    ("rule_recall", "double"),
)
# The features of a profile as a rule names them.
RULE_WORDS = ("age", "annual income in k$", "spending score")
# Beyond so many distinct points the probabilities are left out.
PROBABILITY_POINTS = 200_000
# Criteria of the chosen k that the model carries on.
CHOSEN_COLUMNS = (
    "wcss",
    "silhouette",
    "silhouette_standard_error",
    "calinski_harabasz",
    "davies_bouldin",
    "restarts",
    "restarts_at_best",
    "runner_up_wcss",
    "runner_up_customers",
    "scikit_learn_version",
    "mall_segments_version",
)
MODEL_COLUMNS = (
    ("model_id", "string"),
    ("fitted_at", "timestamp"),
    ("feature_set", "string"),
    ("k", "integer"),
    ("customers", "bigint"),
    *[column for column in CANDIDATE_COLUMNS if column[0] in CHOSEN_COLUMNS],
    ("adjusted_rand_index", "double"),
    ("is_promoted", "boolean"),
    ("decision", "string"),
    ("segment_key", "string"),
    ("segment_number", "integer"),
    ("verdict", "string"),
    ("related_segment_keys", "string"),
    ("segment_customers", "bigint"),
    ("segment_jaccard", "double"),
    ("segment_jaccard_low", "double"),
    ("segment_jaccard_high", "double"),
    ("radius", "double"),
    ("centroid_shift", "double"),
    ("feature", "string"),
    ("mean", "double"),
    ("scale", "double"),
    ("minimum", "double"),
    ("maximum", "double"),
    ("centroid", "double"),
    ("centroid_scaled", "double"),
)


@on_any_engine
@on_one_thread
def segment_candidates(
    session: DuckDBPyConnection,
    points: DuckDBPyRelation,
    scaling: DuckDBPyRelation,
    previous: Callable[[], DuckDBPyRelation],
    settings: Mapping[str, object],
) -> DuckDBPyRelation:
    """Return one row per feature set and k with every criterion and the decision.

    Parameters
    ----------
    session : DuckDB connection
    points : relation of `int_feature_points`
    scaling : relation of `int_feature_scaling`
    previous : callable
        Returns this model as the last build left it, which stays without a refit.
    settings : mapping
        `segmentation_features`, `compared_feature_sets`, `k`, `k_max`, `random_state`,
        `search_effort`, `min_segment_share`, `exact` and `refit`.

    Returns
    -------
    relation with CANDIDATE_COLUMNS, without rows where there are no customers

    Raises
    ------
    SettingError, TooFewPointsError
    NoStoredModelError
        If there is nothing to go on with without a refit.
    """
    if not parse_flag(settings["refit"], "refit"):
        return _stored_candidates(previous)
    chosen = parse_features(settings["segmentation_features"])
    feature_sets = dict.fromkeys([chosen, *parse_feature_sets(settings["compared_feature_sets"])])
    k = parse_k(settings["k"])
    k_max = parse_integer(settings["k_max"], "k_max", 2, LARGEST_K)
    random_state = parse_integer(settings["random_state"], "random_state", 0, LARGEST_SEED)
    effort = parse_integer(settings["search_effort"], "search_effort", 1, LARGEST_EFFORT)
    smallest_share = parse_number(settings["min_segment_share"], "min_segment_share")
    exact = parse_flag(settings["exact"], "exact")
    candidates: list[Candidate] = []
    if own_scaling := read_scaling(scaling, chosen):
        points_by_features = {
            features: read_points(points, read_scaling(scaling, features))
            for features in feature_sets
        }
        finish = _finisher(points, own_scaling, points_by_features[chosen], exact=exact)
        candidates = evaluate_candidates(
            points_by_features, chosen, k, k_max, random_state, finish, effort, smallest_share
        )
    return relation_from_rows(session, CANDIDATE_COLUMNS, [_row(row) for row in candidates])


@on_any_engine
@on_one_thread
def segment_models(
    session: DuckDBPyConnection,
    build: DuckDBPyRelation,
    points: DuckDBPyRelation,
    scaling: DuckDBPyRelation,
    candidates: DuckDBPyRelation,
    previous: DuckDBPyRelation | None,
    settings: Mapping[str, object],
) -> DuckDBPyRelation:
    """Fit K-Means at the selected k and return the rows that this adds to the stored models.

    Parameters
    ----------
    session : DuckDB connection
    build : relation of `int_build`
    points : relation of `int_feature_points`
    scaling : relation of `int_feature_scaling`
    candidates : relation of `ml_segment_candidates`
    previous : relation of `ml_segment_models` so far, None before the first
    settings : mapping
        `segmentation_features`, `random_state`, `search_effort`, `exact`, `refit`, `promote` and
        the fields of Gates.

    Returns
    -------
    relation with MODEL_COLUMNS, one row per segment and feature; without rows where there are no
    customers or `refit` is false

    Raises
    ------
    SettingError
    MissingSelectionError
        If the candidates were built for other features.
    NoStoredModelError
        If there is nothing to go on with without a refit.
    """
    features = parse_features(settings["segmentation_features"])
    random_state = parse_integer(settings["random_state"], "random_state", 0, LARGEST_SEED)
    effort = parse_integer(settings["search_effort"], "search_effort", 1, LARGEST_EFFORT)
    exact = parse_flag(settings["exact"], "exact")
    promote = parse_flag(settings["promote"], "promote")
    gates = Gates(
        **{name: parse_number(settings[name], name) for name in Gates.__dataclass_fields__}
    )
    own_scaling = read_scaling(scaling, features)
    champion, used_keys = read_champion(previous, features)
    if not parse_flag(settings["refit"], "refit"):
        if champion is None:
            raise NoStoredModelError(feature_set_name(features))
        own_scaling = []
    rows: list[list[object]] = []
    if own_scaling:
        chosen = _chosen(candidates, features)
        weighted_points = read_points(points, own_scaling)
        fit = fit_kmeans(weighted_points, int(chosen["k"]), random_state, effort)
        if finish := _finisher(points, own_scaling, weighted_points, exact=exact):
            fit, _ = finish(fit)
        challenger = challenge(
            fit, weighted_points, own_scaling, champion, used_keys, gates, promote=promote
        )
        ((build_id, segmented_at),) = read_rows(build, ("build_id", "segmented_at"))
        of_model = {
            **chosen,
            "model_id": build_id,
            "fitted_at": segmented_at,
            "feature_set": feature_set_name(features),
            "customers": int(weighted_points.customers),
            "adjusted_rand_index": challenger.adjusted_rand_index,
            "is_promoted": challenger.is_promoted,
            "decision": challenger.decision,
        }
        rows = [
            [{**of_model, **fields}[name] for name, _ in MODEL_COLUMNS]
            for fields in _segment_rows(challenger, own_scaling, champion)
        ]
    return relation_from_rows(session, MODEL_COLUMNS, rows)


@on_any_engine
def customer_segments(
    build: DuckDBPyRelation,
    customers: DuckDBPyRelation,
    model: DuckDBPyRelation,
    previous: DuckDBPyRelation | None,
    settings: Mapping[str, object],
) -> DuckDBPyRelation:
    """Return the lazy assignment of every customer by the model that serves.

    Parameters
    ----------
    build : relation of `int_build`
    customers : relation of `int_customer_features`
    model : relation of `int_segment_model`
    previous : relation or None
        This model as the last build left it, where only the customers after it are wanted.
    settings : mapping
        `segmentation_features`.

    Returns
    -------
    relation as described in `assignment.assignment_steps`, with `line_number`, `model_id` and
    `build_id`

    Raises
    ------
    NotAppendedError
        If another model assigned the customers that are there.
    """
    features = parse_features(settings["segmentation_features"])
    served = read_model(model, features)
    scaling: Sequence[Scaling] = [Scaling(feature, 0.0, 1.0, 0.0, 0.0) for feature in features]
    centroids, model_id = np.zeros((1, len(features))), ""
    keys: Sequence[str] = ["S1"]
    if served is not None:
        scaling, model_id = served.scaling, served.model_id
        centroids, keys = served.registered.centroids, served.registered.keys
        if previous is not None:
            customers = _new_customers(customers, previous, model_id)
    assigned = assign(customers, scaling, centroids, keys, (*CUSTOMER_COLUMNS, "line_number"))
    build_id = "".join(row[0] for row in read_rows(build, ("build_id",)))
    return assigned.project(f"*, {literal(model_id)} as model_id, {literal(build_id)} as build_id")


def _new_customers(
    customers: DuckDBPyRelation, previous: DuckDBPyRelation, model_id: str
) -> DuckDBPyRelation:
    """Return the customers whose lines come after those of a relation of assigned customers."""
    facts = "coalesce(max(line_number), 0), min(model_id), max(model_id)"
    ((line, *models),) = previous.aggregate(facts).fetchall()
    if others := set(models) - {model_id, None}:
        raise NotAppendedError(
            f"The customers that are there were assigned by model {min(others)}, "
            f"expected {model_id}, which serves."
        )
    return customers.filter(f"line_number > {line}")


@on_any_engine
@on_one_thread
def assignment_probabilities(
    session: DuckDBPyConnection,
    points: DuckDBPyRelation,
    model: DuckDBPyRelation,
    settings: Mapping[str, object],
) -> DuckDBPyRelation:
    """Return one row per distinct point with the share of bootstrap refits that agree on it.

    Parameters
    ----------
    session : DuckDB connection
    points : relation of `int_feature_points`
    model : relation of `int_segment_model`
    settings : mapping
        `segmentation_features`.

    Returns
    -------
    relation with the segmentation features and `assignment_probability`; without rows where there
    are more than PROBABILITY_POINTS points
    """
    features = parse_features(settings["segmentation_features"])
    served = read_model(model, features)
    columns = [*((feature, "double") for feature in features), ("assignment_probability", "double")]
    if served is None:
        return relation_from_rows(session, columns, [])
    ((rows,),) = points.aggregate("count(*)").fetchall()
    if vectors_at_most(points, features, rows) > PROBABILITY_POINTS:
        return relation_from_rows(session, columns, [])
    columns_of_points = read_columns(points, features)
    weighted_points = WeightedPoints(
        standardised(columns_of_points, served.scaling), columns_of_points.pop("weight")
    )
    certificate = certify(weighted_points.coarsened(RESAMPLED_POINTS), served.registered.centroids)
    probability = certificate.probability(weighted_points.coordinates)
    return relation_from_columns(
        session, {**columns_of_points, "assignment_probability": probability}
    )


@on_any_engine
def segment_rules(
    session: DuckDBPyConnection,
    points: DuckDBPyRelation,
    scaling: DuckDBPyRelation,
    model: DuckDBPyRelation,
    settings: Mapping[str, object],
) -> DuckDBPyRelation:
    """Return rules that recognise the segments, as leaves of a shallow decision tree.

    Parameters
    ----------
    session : DuckDB connection
    points : relation of `int_feature_points`
    scaling : relation of `int_feature_scaling`
    model : relation of `int_segment_model`
    settings : mapping
        `segmentation_features`.

    Returns
    -------
    relation with RULE_COLUMNS
    """
    features = parse_features(settings["segmentation_features"])
    served = read_model(model, features)
    if served is None:
        return relation_from_rows(session, RULE_COLUMNS, [])
    profile = read_scaling(scaling, PROFILE_FEATURES)
    found = read_points(points, profile)
    values = found.coordinates * [one.scale for one in profile] + [one.mean for one in profile]
    columns = dict(zip(PROFILE_FEATURES, values.T, strict=True))
    scaled = standardised(columns, served.scaling)
    labels, _ = nearest_centroid(scaled, served.registered.centroids)
    rules = fit_rules(values, found.weights, labels, RULE_WORDS)
    rows = [
        [
            served.registered.keys[one.segment],
            one.conditions,
            one.customers,
            one.precision,
            one.recall,
        ]
        for one in rules
    ]
    return relation_from_rows(session, RULE_COLUMNS, rows)


def read_champion(
    models: DuckDBPyRelation | None, features: Sequence[str]
) -> tuple[StoredModel | None, list[str]]:
    """Return the model of some features that serves, and every key that such a model has given.

    Parameters
    ----------
    models : relation with MODEL_COLUMNS, or None
    features : segmentation features
    """
    if models is None:
        return None, []
    promoted = models.filter(f"is_promoted and feature_set = '{feature_set_name(features)}'")
    used_keys = [key for (key,) in promoted.project("segment_key").distinct().fetchall()]
    newest = promoted.project("model_id, fitted_at").order("fitted_at desc").limit(1).fetchall()
    if not newest:
        return None, []
    return read_model(promoted.filter(f"model_id = '{newest[0][0]}'"), features), used_keys


def read_model(rows: DuckDBPyRelation, features: Sequence[str]) -> StoredModel | None:
    """Return the model in rows with MODEL_COLUMNS of one fit; None if there are none."""
    found = read_rows(rows.filter("segment_number is not null"), MODEL_FIELDS)
    if not found:
        return None
    by_feature: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        fields = dict(zip(MODEL_FIELDS, row, strict=True))
        by_feature.setdefault(fields["feature"], []).append(fields)
    first = by_feature[features[0]]
    scaling = [
        Scaling(feature, *(by_feature[feature][0][name] for name in SCALING_FIELDS))
        for feature in features
    ]
    centroids = [[row["centroid_scaled"] for row in by_feature[feature]] for feature in features]
    return StoredModel(
        model_id=first[0]["model_id"],
        scaling=tuple(scaling),
        registered=Registered(
            keys=tuple(row["segment_key"] for row in first),
            centroids=np.array(centroids).T,
            radii=np.array([row["radius"] for row in first]),
            shares=np.array([row["segment_customers"] / row["customers"] for row in first]),
        ),
    )


SCALING_FIELDS = ("mean", "scale", "minimum", "maximum")
MODEL_FIELDS = (
    "segment_number",
    "feature",
    "segment_key",
    "model_id",
    "centroid_scaled",
    "radius",
    "segment_customers",
    "customers",
    *SCALING_FIELDS,
)


def _finisher(
    relation: DuckDBPyRelation,
    scaling: Sequence[Scaling],
    points: WeightedPoints,
    *,
    exact: bool,
) -> Finish | None:
    """Return what makes a fit of cells one of all customers; points need nothing more."""
    if not points.scatter:
        return None

    def finish(fit: KMeansFit) -> tuple[KMeansFit, float | None]:
        passes = Passes.over(relation, scaling)
        end = passes.run(fit.centroids, exact=exact)
        of_all = replace(
            fit,
            centroids=end.centroids,
            labels=nearest_centroid(points.coordinates, end.centroids)[0],
            cluster_weights=end.sizes,
            wcss=end.wcss,
        )
        return of_all, davies_bouldin_of_spread(passes.spread(end), end.centroids)

    return finish


def _segment_rows(
    challenger: Challenger, scaling: Sequence[Scaling], champion: StoredModel | None
) -> list[dict[str, object]]:
    """Return what differs between the rows of a model: its segments and their features."""
    fit, certificate = challenger.fit, challenger.certificate
    low, high = certificate.interval()
    rows: list[dict[str, object]] = []
    for one in challenger.identities:
        cluster = one.cluster
        fields: dict[str, object] = {
            "segment_key": one.key,
            "segment_number": cluster,
            "verdict": str(one.verdict),
            "related_segment_keys": ", ".join(one.related) or None,
            "segment_customers": 0,
            "segment_jaccard": None,
            "segment_jaccard_low": None,
            "segment_jaccard_high": None,
            "radius": None,
            "centroid_shift": one.shift,
        }
        if cluster is not None:
            fields |= {
                "segment_customers": int(fit.cluster_weights[cluster]),
                "segment_jaccard": float(certificate.mean[cluster]),
                "segment_jaccard_low": float(low[cluster]),
                "segment_jaccard_high": float(high[cluster]),
                "radius": float(challenger.radii[cluster]),
            }
            described, scaled = scaling, fit.centroids[cluster]
        elif champion is not None:
            described = champion.scaling
            scaled = champion.registered.centroids[champion.registered.keys.index(one.key)]
        for feature, value in zip(described, scaled.tolist(), strict=True):
            rows.append(
                {
                    **fields,
                    **vars(feature),
                    "centroid": feature.mean + value * feature.scale,
                    "centroid_scaled": value,
                }
            )
    return rows


def _chosen(candidates: DuckDBPyRelation, features: Sequence[str]) -> dict[str, Any]:
    """Return the criteria of the selected k, or raise MissingSelectionError."""
    names = ("feature_set", "k", *CHOSEN_COLUMNS)
    rows = read_rows(candidates.filter("is_selected"), names)
    selected = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    if feature_set_name(features) not in selected:
        raise MissingSelectionError(feature_set_name(features), sorted(selected))
    return selected[feature_set_name(features)]


def _stored_candidates(previous: Callable[[], DuckDBPyRelation]) -> DuckDBPyRelation:
    """Return the candidates of the last build; columns that it did not know yet are null."""
    try:
        stored = previous()
        known = stored.columns
    except missing_table_errors():
        raise NoStoredModelError("any features") from None
    return stored.project(
        ", ".join(
            name if name in known else f"cast(null as {kind}) as {name}"
            for name, kind in CANDIDATE_COLUMNS
        )
    )


def _row(candidate: Candidate) -> list[object]:
    versions = {
        "scikit_learn_version": version("scikit-learn"),
        "mall_segments_version": version("mall-segments"),
    }
    fields = {**vars(candidate), **vars(candidate.criteria), **versions}
    return [fields[name] for name, _ in CANDIDATE_COLUMNS]
