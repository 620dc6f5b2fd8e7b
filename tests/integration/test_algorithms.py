"""K-Means beside other algorithms, silhouettes per customer and Ward's tree, by real builds."""

import json
from importlib.metadata import version

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_samples,
    silhouette_score,
)
from sklearn.mixture import GaussianMixture

ALGORITHMS = ["dbscan", "gaussian_mixture", "hdbscan", "k_means", "self_organising_map", "ward"]


@pytest.fixture(scope="module")
def rows(mall):
    """The scaled features of the customers, by number."""
    values = np.array(
        mall.query(
            "select annual_income_k_usd, spending_score from marts.customer_segments "
            "order by customer_id"
        ),
        dtype=float,
    )
    return (values - values.mean(axis=0)) / values.std(axis=0)


def clusters_of(project, algorithm):
    found = project.query(
        "select coalesce(cluster, 0) from marts.algorithm_assignments "
        f"where algorithm = '{algorithm}' order by customer_id"
    )
    return np.array(found)[:, 0]


def comparison_of(project, *columns):
    found = project.query(f"select algorithm, {', '.join(columns)} from marts.algorithm_comparison")
    return {row[0]: row[1:] for row in found}


def test_six_algorithms_are_compared_on_all_customers(mall):
    found = comparison_of(mall, "library", "customers", "is_sampled", "seconds > 0", "parameters")
    assert sorted(found) == ALGORITHMS
    scikit_learn = f"scikit-learn {version('scikit-learn')}"
    for algorithm, (library, customers, is_sampled, is_timed, parameters) in found.items():
        is_map = algorithm == "self_organising_map"
        assert library == (f"MiniSom {version('minisom')}" if is_map else scikit_learn)
        assert (customers, is_sampled, is_timed) == (200, False, True)
        assert json.loads(parameters)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_scores_are_scikit_learn_s_on_the_clustered_customers(mall, rows, algorithm):
    clusters = clusters_of(mall, algorithm)
    segments = clusters_of(mall, "k_means")
    found = comparison_of(
        mall,
        "clusters",
        "noise_customers",
        "noise_share",
        "silhouette",
        "davies_bouldin",
        "calinski_harabasz",
        "adjusted_rand_index",
    )[algorithm]
    kept = clusters > 0
    assert found[:2] == (clusters.max(), (~kept).sum())
    assert found[2:] == pytest.approx(
        (
            (~kept).mean(),
            silhouette_score(rows[kept], clusters[kept]),
            davies_bouldin_score(rows[kept], clusters[kept]),
            calinski_harabasz_score(rows[kept], clusters[kept]),
            adjusted_rand_score(clusters[kept], segments[kept]),
        ),
        rel=1e-9,
    )


def test_k_means_is_the_segments_that_serve(mall):
    ((pairs, clusters),) = mall.query(
        "select count(distinct (cluster, segment_key)), count(distinct cluster) "
        "from marts.algorithm_assignments where algorithm = 'k_means'"
    )
    assert (pairs, clusters) == (5, 5)
    ((same,),) = mall.query(
        "select bool_and(assigned.segment_key = customers.segment_key) "
        "from marts.algorithm_assignments as assigned "
        "inner join marts.customer_segments as customers using (customer_id)"
    )
    assert same
    found = comparison_of(mall, "adjusted_rand_index", "silhouette", "davies_bouldin")["k_means"]
    ((silhouette, davies_bouldin),) = mall.query(
        "select silhouette, davies_bouldin from marts.segmentation_quality"
    )
    assert found == pytest.approx((1.0, silhouette, davies_bouldin), rel=1e-12)


@pytest.mark.parametrize(
    ("algorithm", "estimator"),
    [
        ("ward", AgglomerativeClustering),
        ("dbscan", DBSCAN),
        ("hdbscan", lambda **parameters: HDBSCAN(copy=True, **parameters)),
        ("gaussian_mixture", GaussianMixture),
    ],
)
def test_the_parameters_shown_give_the_clusters_shown(mall, rows, algorithm, estimator):
    ((parameters,),) = mall.query(
        f"select parameters from marts.algorithm_comparison where algorithm = '{algorithm}'"
    )
    labels = estimator(**json.loads(parameters)).fit_predict(rows)
    assert adjusted_rand_score(labels, clusters_of(mall, algorithm)) == 1.0


def test_the_others_confirm_the_five_segments(mall):
    """Published comparisons of these customers find the same five groups by Ward's method."""
    found = comparison_of(mall, "clusters", "adjusted_rand_index")
    for algorithm in ("ward", "gaussian_mixture", "self_organising_map"):
        clusters, agreement = found[algorithm]
        assert clusters == 5
        assert agreement > 0.9


def test_notes_are_derived_from_the_figures(mall):
    for algorithm, (note, clusters, noise) in comparison_of(
        mall, "note", "clusters", "noise_customers"
    ).items():
        if algorithm != "k_means":
            assert note.startswith(f"Finds {clusters} groups ")
            assert (f"{noise} customers (" in note) == (noise > 0)


def test_the_silhouettes_of_the_customers_have_the_published_mean(mall, rows):
    found = mall.query(
        "select silhouette, segment_key, nearest_other_segment_key "
        "from marts.customer_silhouettes order by customer_id"
    )
    values = [row[0] for row in found]
    keys = [row[1] for row in found]
    assert len(found) == 200
    assert np.mean(values) == pytest.approx(0.554657, abs=5e-7)
    ((quality,),) = mall.query("select silhouette from marts.segmentation_quality")
    assert np.mean(values) == pytest.approx(quality, rel=1e-12)
    assert values == pytest.approx(silhouette_samples(rows, keys), abs=1e-12)
    assert all(own != other for _, own, other in found)


def test_the_tree_is_ward_s_with_thirty_leaves(mall, rows):
    nodes = mall.query(
        "select node, parent_node, height, position, customers, segment_key "
        "from marts.cluster_tree order by node"
    )
    assert [row[0] for row in nodes] == list(range(59))
    assert nodes[0][1] is None
    assert nodes[0][4] == 200
    leaves = nodes[29:]
    assert [row[3] for row in leaves] == list(range(30))
    assert sum(row[4] for row in leaves) == 200
    highest = AgglomerativeClustering(5, compute_distances=True).fit(rows).distances_[-1]
    assert nodes[0][2] == pytest.approx(highest)
    # The four last merges part the five groups.
    cut = [row for row in nodes if row[1] is not None and row[1] < 4 and row[0] >= 4]
    assert {row[5] for row in cut} == {"S1", "S2", "S3", "S4", "S5"}
    assert sorted((row[4] for row in cut), reverse=True) == [85, 39, 32, 23, 21]


def test_without_the_comparison_its_relations_are_empty(ten_segments):
    for mart in ("algorithm_comparison", "algorithm_assignments", "cluster_tree"):
        assert ten_segments.query(f"select count(*) from marts.{mart}") == [(0,)]
    silhouettes = "select count(*) from marts.customer_silhouettes"
    assert ten_segments.query(silhouettes) == [(200,)]


def test_many_customers_are_sampled_by_the_hash_of_their_number(built):
    built.build("--select", "int_compared_customers+", compared_customers=60)
    compared = built.query("select customer_id from ml.int_compared_customers order by 1")
    lowest = built.query(
        "select customer_id from (select customer_id from marts.customer_silhouettes "
        "order by md5_number_lower(cast(customer_id as varchar)) limit 60) order by 1"
    )
    assert compared == lowest
    found = comparison_of(built, "customers", "is_sampled", "adjusted_rand_index")
    assert {row[:2] for row in found.values()} == {(60, True)}
    assert found["k_means"][2] == 1.0
    assert built.query(
        "select count(*), count(distinct customer_id) from marts.algorithm_assignments"
    ) == [(360, 60)]
    assert built.query("select customers from marts.cluster_tree where node = 0") == [(60,)]


def test_one_segment_of_one_feature_is_compared_too(one_segment):
    found = comparison_of(one_segment, "clusters", "silhouette", "adjusted_rand_index", "note")
    for algorithm in ("ward", "gaussian_mixture", "self_organising_map"):
        assert found[algorithm] == (1, None, 1.0, "Finds one group.")
    silhouettes = "select distinct silhouette from marts.customer_silhouettes"
    assert one_segment.query(silhouettes) == [(None,)]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"compare_algorithms": "no"}, "compare_algorithms is no, expected true or false"),
        ({"compared_customers": 0}, "compared_customers is 0, expected an integer from 1 to 10000"),
    ],
)
def test_settings_that_mean_nothing_are_named(project, variables, message):
    result = project.dbt("compile", "--select", "int_compared_customers", **variables)
    assert result.returncode != 0
    assert message in result.stdout
    assert "Traceback" not in result.stdout
