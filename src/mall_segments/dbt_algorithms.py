"""What the models of other algorithms call: relations of the engine in, a relation of it out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mall_segments.algorithms import ALGORITHMS, NOISE, compare_algorithms
from mall_segments.cluster_tree import cluster_tree
from mall_segments.criteria import (
    SILHOUETTE_POINTS,
    SILHOUETTE_SAMPLE,
    calinski_harabasz,
    davies_bouldin,
    point_silhouettes,
)
from mall_segments.dbt_segmentation import read_model
from mall_segments.duckdb_engine import relation_from_columns, relation_from_rows
from mall_segments.engine_points import LARGEST_CELLS, are_few, standardised
from mall_segments.engines import on_any_engine
from mall_segments.libraries import load_libraries
from mall_segments.lloyd import Floats, Integers
from mall_segments.settings import parse_features
from mall_segments.stored_model import StoredModel
from mall_segments.weighted_points import WeightedPoints, mean_of_groups

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

ASSIGNMENT_COLUMNS = (
    ("algorithm", "string"),
    ("customer_id", "bigint"),
    ("cluster", "integer"),
    ("library", "string"),
    ("parameters", "string"),
    ("seconds", "double"),
)
SCORE_COLUMNS = (
    ("algorithm", "string"),
    ("customers", "bigint"),
    ("clusters", "integer"),
    ("noise_customers", "bigint"),
    ("silhouette", "double"),
    ("davies_bouldin", "double"),
    ("calinski_harabasz", "double"),
    ("adjusted_rand_index", "double"),
)
TREE_COLUMNS = (
    ("node", "integer"),
    ("parent_node", "integer"),
    ("height", "double"),
    ("position", "double"),
    ("customers", "bigint"),
    ("segment_key", "string"),
)


@on_any_engine
def algorithm_assignments(
    session: DuckDBPyConnection,
    customers: DuckDBPyRelation,
    model: DuckDBPyRelation,
    settings: Mapping[str, object],
) -> DuckDBPyRelation:
    """Return what each algorithm makes of the compared customers.

    Parameters
    ----------
    session : DuckDB connection
    customers : relation of `int_compared_customers`
    model : relation of `int_segment_model`
    settings : mapping
        `segmentation_features`.

    Returns
    -------
    relation with ASSIGNMENT_COLUMNS, one row per algorithm and customer

    Raises
    ------
    SettingError
    """
    served = read_model(model, parse_features(settings["segmentation_features"]))
    ids, keys, rows = _read_customers(customers, served)
    if served is None or not len(ids):
        return relation_from_rows(session, ASSIGNMENT_COLUMNS, [])
    _, segments = np.unique(keys, return_inverse=True)
    clusterings = compare_algorithms(rows, segments, len(served.registered.keys))
    number = np.repeat(np.arange(len(clusterings)), len(ids))
    assigned = relation_from_columns(
        session,
        {
            "number": number,
            "customer_id": np.tile(ids, len(clusterings)),
            "cluster": np.concatenate([one.clusters for one in clusterings]),
        },
    )
    described = relation_from_rows(
        session,
        (("number", "bigint"), *(ASSIGNMENT_COLUMNS[i] for i in (0, 3, 4, 5))),
        [
            [index, one.algorithm, one.library, json.dumps(one.parameters), one.seconds]
            for index, one in enumerate(clusterings)
        ],
    )
    return assigned.join(described, "number").project(
        f"algorithm, customer_id, cast(nullif(cluster, {NOISE}) as integer) as cluster,"
        " library, parameters, seconds"
    )


@on_any_engine
def algorithm_scores(
    session: DuckDBPyConnection,
    customers: DuckDBPyRelation,
    assignments: DuckDBPyRelation,
    model: DuckDBPyRelation,
    settings: Mapping[str, object],
) -> DuckDBPyRelation:
    """Return how well each algorithm separates the customers, and how far it agrees with K-Means.

    Parameters
    ----------
    session : DuckDB connection
    customers : relation of `int_compared_customers`
    assignments : relation of `ml_algorithm_assignments`
    model : relation of `int_segment_model`
    settings : mapping
        `segmentation_features`.

    Returns
    -------
    relation with SCORE_COLUMNS, one row per algorithm

    Notes
    -----
    Customers that an algorithm leaves out take part in none of its scores. The adjusted Rand index
    is that of Hubert and Arabie (1985).
    """
    served = read_model(model, parse_features(settings["segmentation_features"]))
    ids, _, rows = _read_customers(customers, served)
    if served is None or not len(ids):
        return relation_from_rows(session, SCORE_COLUMNS, [])
    found = (
        assignments.project(f"algorithm, customer_id, coalesce(cluster, {NOISE}) as cluster")
        .order("algorithm, customer_id")
        .fetchnumpy()
    )
    clusters = {name: found["cluster"][found["algorithm"] == name] for name in ALGORITHMS}
    scores = [[name, *_scores(rows, clusters[name], clusters["k_means"])] for name in ALGORITHMS]
    return relation_from_rows(session, SCORE_COLUMNS, scores)


@on_any_engine
def tree_nodes(
    session: DuckDBPyConnection,
    customers: DuckDBPyRelation,
    model: DuckDBPyRelation,
    settings: Mapping[str, object],
) -> DuckDBPyRelation:
    """Return Ward's tree of the compared customers down to its last leaves.

    Parameters
    ----------
    session : DuckDB connection
    customers : relation of `int_compared_customers`
    model : relation of `int_segment_model`
    settings : mapping
        `segmentation_features`.

    Returns
    -------
    relation with TREE_COLUMNS, one row per node (see `cluster_tree`)
    """
    served = read_model(model, parse_features(settings["segmentation_features"]))
    _, keys, rows = _read_customers(customers, served)
    if served is None:
        return relation_from_rows(session, TREE_COLUMNS, [])
    nodes = [
        [
            one.node,
            one.parent_node,
            one.height,
            one.position,
            len(one.members),
            _most_common(keys[one.members].tolist()),
        ]
        for one in cluster_tree(rows)
    ]
    return relation_from_rows(session, TREE_COLUMNS, nodes)


@on_any_engine
def silhouettes_of_points(
    session: DuckDBPyConnection,
    points: DuckDBPyRelation,
    model: DuckDBPyRelation,
    settings: Mapping[str, object],
) -> DuckDBPyRelation:
    """Return how well the vectors of customers lie in their segments.

    Parameters
    ----------
    session : DuckDB connection
    points : relation of `int_segment_points`
    model : relation of `int_segment_model`
    settings : mapping
        `segmentation_features`.

    Returns
    -------
    relation with the segmentation features, `silhouette` and `nearest_other_segment_key`, one row
    per distinct vector. Of more than SILHOUETTE_POINTS vectors it has those SILHOUETTE_SAMPLE with
    the lowest `hash_rank`, each measured against all, or where there are too many (see
    `engine_points.are_few`) against the LARGEST_CELLS with the lowest. With one segment both are
    null.
    """
    features = parse_features(settings["segmentation_features"])
    columns = (
        *((feature, "double") for feature in features),
        ("silhouette", "double"),
        ("nearest_other_segment_key", "string"),
    )
    served = read_model(model, features)
    selected = ", ".join(features)
    ((vectors, customers_on_all),) = points.aggregate("count(*), sum(customers)").fetchall()
    if not are_few(vectors, float(customers_on_all or 0)):
        points = points.filter(f"hash_rank <= {LARGEST_CELLS}")
    found = points.project(f"{selected}, segment_key, customers, hash_rank").order(selected)
    values = found.fetchnumpy()
    if served is None or not len(values["hash_rank"]):
        return relation_from_rows(session, columns, [])
    keys, labels = np.unique(values["segment_key"].astype(str), return_inverse=True)
    evaluated = np.arange(len(labels))
    if len(labels) > SILHOUETTE_POINTS:
        evaluated = np.flatnonzero(values["hash_rank"] <= SILHOUETTE_SAMPLE)
    weighted_points = WeightedPoints(
        standardised(values, served.scaling), values["customers"].astype(float)
    )
    own = [values[feature][evaluated].tolist() for feature in features]
    of_points: list[Sequence[object]] = [[None] * len(evaluated)] * 2
    if len(keys) > 1:
        silhouette, neighbour = point_silhouettes(weighted_points, labels, evaluated)
        of_points = [silhouette.tolist(), keys[neighbour].tolist()]
    return relation_from_rows(session, columns, list(zip(*own, *of_points, strict=True)))


def _read_customers(
    customers: DuckDBPyRelation, served: StoredModel | None
) -> tuple[Integers, np.ndarray, Floats]:
    """Return the ids, segment keys and scaled features of the compared customers, by id."""
    values = customers.order("customer_id").fetchnumpy()
    ids, keys = values["customer_id"], values["segment_key"].astype(str)
    rows = np.empty((len(ids), 0)) if served is None else standardised(values, served.scaling)
    return ids, keys, rows


def _scores(rows: Floats, clusters: Integers, segments: Integers) -> list[object]:
    load_libraries()
    from sklearn.metrics import adjusted_rand_score

    is_clustered = clusters != NOISE
    k = int(clusters.max())
    agreement = None
    if k:
        agreement = float(adjusted_rand_score(segments[is_clustered], clusters[is_clustered]))
    criteria: list[float | None] = [None, None, None]
    if k > 1:
        labels = (clusters[is_clustered] - 1).astype(np.intp)
        points = WeightedPoints(rows[is_clustered], np.ones(len(labels)))
        centroids = mean_of_groups(points.coordinates, points.weights, labels, k)
        wcss = float(((points.coordinates - centroids[labels]) ** 2).sum())
        silhouette, _ = point_silhouettes(points, labels, np.arange(len(labels)))
        criteria = [
            float(silhouette.mean()),
            davies_bouldin(points, labels, centroids),
            calinski_harabasz(points, wcss, k),
        ]
    return [len(clusters), k, int((~is_clustered).sum()), *criteria, agreement]


def _most_common(keys: list[str]) -> str:
    """Return the most frequent key, of several the first by name."""
    counts = Counter(keys)
    return min(counts, key=lambda key: (-counts[key], key))
