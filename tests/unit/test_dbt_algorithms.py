import json

import duckdb
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score

from mall_segments import dbt_algorithms
from mall_segments.algorithms import ALGORITHMS
from mall_segments.dbt_algorithms import (
    ASSIGNMENT_COLUMNS,
    SCORE_COLUMNS,
    TREE_COLUMNS,
    algorithm_assignments,
    algorithm_scores,
    silhouettes_of_points,
    tree_nodes,
)

SETTINGS = {
    "segmentation_features": ["spending_score", "annual_income_k_usd"],
}
MODEL = """
    select
        s.segment_number, 'S' || (s.segment_number + 1) as segment_key, 'b1' as model_id,
        30 as segment_customers, 60 as customers, 1.0 as radius, f.feature,
        f.mean::double as mean, f.scale::double as scale, 0.0::double as minimum,
        100.0::double as maximum, s.centroid::double as centroid_scaled
    from (values ('annual_income_k_usd', 57.0, 35.0), ('spending_score', 46.0, 35.0))
        as f(feature, mean, scale)
    cross join (values (0, -1.0), (1, 1.0)) as s(segment_number, centroid)
"""


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def customers(connection):
    """Customers of two clear segments, not in the order of their numbers."""
    return connection.sql(
        """
        select
            61 - i as customer_id, if(i % 2 = 0, 'S1', 'S2') as segment_key, 20e0 + i % 7 as age,
            if(i % 2 = 0, 20e0, 90e0) + i % 5 as annual_income_k_usd,
            if(i % 2 = 0, 10e0, 80e0) + i % 3 as spending_score
        from range(60) as t(i)
        """
    )


@pytest.fixture
def points(customers):
    group = "segment_key, annual_income_k_usd, spending_score"
    rank = "row_number() over (order by md5(annual_income_k_usd || '|' || spending_score))"
    return customers.aggregate(f"{group}, count(*) as customers, {rank} as hash_rank", group)


@pytest.fixture
def model(connection):
    return connection.sql(MODEL)


def rows_of(customers):
    values = customers.order("customer_id").fetchnumpy()
    rows = np.stack([values["annual_income_k_usd"], values["spending_score"]], axis=1)
    return (rows - [57.0, 46.0]) / 35.0, values["segment_key"].astype(str)


def test_every_algorithm_places_every_customer(connection, customers, model):
    found = algorithm_assignments(connection, customers, model, SETTINGS)
    assert list(zip(found.columns, found.types, strict=True)) == [
        (name, duckdb.sqltype(kind)) for name, kind in ASSIGNMENT_COLUMNS
    ]
    counts = found.aggregate("algorithm, count(distinct customer_id)", "algorithm").fetchall()
    assert dict(counts) == dict.fromkeys(ALGORITHMS, 60)
    constants = found.project("algorithm, library, parameters, seconds").distinct().fetchall()
    assert len(constants) == len(ALGORITHMS)
    parameters = {name: json.loads(text) for name, _, text, _ in constants}
    assert parameters["ward"] == {"n_clusters": 2, "linkage": "ward"}


def test_scores_are_those_of_scikit_learn_without_the_noise(connection, customers, model):
    rows, _ = rows_of(customers)
    third = "case when customer_id % 7 = 0 then null else 1 + customer_id % 3 end"
    made_up = connection.sql(
        " union all ".join(
            f"select '{name}' as algorithm, customer_id, {cluster} as cluster from customers"
            for name, cluster in [
                ("k_means", "if(segment_key = 'S1', 1, 2)"),
                ("ward", third),
                ("dbscan", "null"),
                ("hdbscan", "1"),
                ("gaussian_mixture", "1 + customer_id % 2"),
                ("self_organising_map", "if(customer_id = 7, 2, 1)"),
            ]
        )
    )
    scores = algorithm_scores(connection, customers, made_up, model, SETTINGS)
    assert scores.columns == [name for name, _ in SCORE_COLUMNS]
    by_name = {row[0]: row[1:] for row in scores.fetchall()}
    assert by_name["dbscan"] == (60, 0, 60, None, None, None, None)
    assert by_name["hdbscan"] == (60, 1, 0, None, None, None, 0.0)
    assert by_name["k_means"][-1] == by_name["gaussian_mixture"][-1] == 1.0
    ids = np.arange(2, 62)
    kept = ids % 7 != 0
    labels = (1 + ids % 3)[kept]
    size, k, noise, silhouette, _, _, agreement = by_name["ward"]
    assert (size, k, noise) == (60, 3, 60 - kept.sum())
    assert silhouette == pytest.approx(silhouette_score(rows[kept], labels))
    assert agreement == pytest.approx(adjusted_rand_score((ids % 2)[kept], labels))


def test_a_node_belongs_to_the_segment_of_most_of_its_customers(connection, customers, model):
    tree = tree_nodes(connection, customers, model, SETTINGS)
    assert tree.columns == [name for name, _ in TREE_COLUMNS]
    root, *children = tree.filter("coalesce(parent_node, 0) = 0").order("node").fetchall()
    assert root[0::4] == (0, 60)
    assert root[5] == "S1"
    assert {(child[4], child[5]) for child in children} == {(30, "S1"), (30, "S2")}


def test_silhouettes_name_the_other_segment(connection, customers, points, model):
    rows, keys = rows_of(customers)
    found = silhouettes_of_points(connection, points, model, SETTINGS)
    assert found.columns == [
        "annual_income_k_usd",
        "spending_score",
        "silhouette",
        "nearest_other_segment_key",
    ]
    joined = found.set_alias("f").join(
        customers.set_alias("c"),
        "f.annual_income_k_usd = c.annual_income_k_usd and f.spending_score = c.spending_score",
    )
    assert joined.aggregate("count(*), avg(silhouette)").fetchall() == [
        (60, pytest.approx(silhouette_score(rows, keys)))
    ]
    assert joined.filter("nearest_other_segment_key = segment_key").fetchall() == []


def test_of_many_vectors_those_of_lowest_hash_are_measured_as_before(
    connection, points, model, monkeypatch
):
    everywhere = set(silhouettes_of_points(connection, points, model, SETTINGS).fetchall())
    monkeypatch.setattr(dbt_algorithms, "SILHOUETTE_POINTS", 20)
    monkeypatch.setattr(dbt_algorithms, "SILHOUETTE_SAMPLE", 8)
    some = silhouettes_of_points(connection, points, model, SETTINGS).fetchall()
    lowest = points.filter("hash_rank <= 8").project("annual_income_k_usd, spending_score")
    assert {row[:2] for row in some} == set(lowest.fetchall())
    assert len(some) == 8
    assert {tuple(round(value, 12) for value in row[:3]) for row in some} <= {
        tuple(round(value, 12) for value in row[:3]) for row in everywhere
    }


def test_one_segment_has_no_silhouette(connection, points, model):
    alone = points.filter("segment_key = 'S1'")
    found = silhouettes_of_points(connection, alone, model, SETTINGS).fetchall()
    assert len(found) == 15
    assert {row[2:] for row in found} == {(None, None)}


@pytest.mark.parametrize("missing", ["customers", "model"])
def test_nobody_to_compare_gives_typed_relations_without_rows(
    connection, customers, points, model, missing
):
    if missing == "customers":
        customers, points = customers.filter("false"), points.filter("false")
    else:
        model = model.filter("false")
    assignments = algorithm_assignments(connection, customers, model, SETTINGS)
    assert assignments.columns == [name for name, _ in ASSIGNMENT_COLUMNS]
    results = [
        assignments,
        algorithm_scores(connection, customers, assignments, model, SETTINGS),
        tree_nodes(connection, customers, model, SETTINGS),
        silhouettes_of_points(connection, points, model, SETTINGS),
    ]
    assert [relation.fetchall() for relation in results] == [[]] * 4
