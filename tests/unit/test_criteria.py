import numpy as np
import pytest
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    pairwise_distances,
    silhouette_samples,
    silhouette_score,
)

from mall_segments import criteria
from mall_segments.criteria import (
    calinski_harabasz,
    davies_bouldin,
    point_silhouettes,
    silhouettes,
)
from mall_segments.kmeans import fit_kmeans, fit_kmeans_path
from mall_segments.lloyd import nearest_centroid
from mall_segments.weighted_points import WeightedPoints

PUBLISHED_SILHOUETTE = {
    2: 0.2951,
    3: 0.4666,
    4: 0.4939,
    5: 0.5547,
    6: 0.5399,
    7: 0.5281,
    8: 0.4567,
    9: 0.4594,
    10: 0.4505,
}


@pytest.fixture
def repeated_rows(generator):
    """900 rows on few points, so that most points carry several customers."""
    return generator.integers(0, 12, size=(900, 2)).astype(float)


@pytest.mark.parametrize("k", [2, 4, 7])
def test_weighted_criteria_equal_scikit_learn_on_the_rows(repeated_rows, k):
    points = WeightedPoints.from_rows(repeated_rows)
    assert len(points) < 150
    fit = fit_kmeans(points, k)
    rows = nearest_centroid(repeated_rows[None], fit.centroids[None])[0][0]
    assert silhouettes(points, [fit.labels]) == [
        pytest.approx(silhouette_score(repeated_rows, rows), rel=1e-9)
    ]
    assert davies_bouldin(points, fit.labels, fit.centroids) == pytest.approx(
        davies_bouldin_score(repeated_rows, rows), rel=1e-9
    )
    assert calinski_harabasz(points, fit.wcss, k) == pytest.approx(
        calinski_harabasz_score(repeated_rows, rows), rel=1e-9
    )


def test_the_mall_criteria_are_the_published_ones(mall_points):
    points = mall_points()
    path = fit_kmeans_path(points, 10)
    values = silhouettes(points, [fit.labels for fit in path])
    assert {k: round(values[k - 1], 4) for k in PUBLISHED_SILHOUETTE} == PUBLISHED_SILHOUETTE
    five = path[4]
    assert values[4] == pytest.approx(0.554657, abs=1e-6)
    assert davies_bouldin(points, five.labels, five.centroids) == pytest.approx(0.572236, abs=1e-6)
    assert calinski_harabasz(points, five.wcss, 5) == pytest.approx(248.649, abs=1e-3)


def test_one_cluster_has_no_criteria(mall_points):
    points = mall_points()
    fit = fit_kmeans(points, 1)
    assert silhouettes(points, [fit.labels]) == [None]
    assert davies_bouldin(points, fit.labels, fit.centroids) is None
    assert calinski_harabasz(points, fit.wcss, 1) is None


def test_a_customer_alone_scores_zero_as_in_scikit_learn():
    rows = np.array([[0.0], [1.0], [10.0]])
    labels = np.array([0, 0, 1])
    points = WeightedPoints.from_rows(rows)
    assert silhouettes(points, [labels]) == [pytest.approx(silhouette_score(rows, labels))]


def test_a_perfect_fit_has_no_calinski_harabasz():
    points = WeightedPoints.from_rows(np.array([[0.0], [0.0], [1.0]]))
    assert calinski_harabasz(points, 0.0, 2) is None


def test_many_points_are_sampled_near_the_exact_value(repeated_rows, monkeypatch):
    points = WeightedPoints.from_rows(repeated_rows)
    labels = fit_kmeans(points, 4).labels
    exact = silhouettes(points, [labels])[0]
    monkeypatch.setattr(criteria, "SILHOUETTE_POINTS", 100)
    monkeypatch.setattr(criteria, "SILHOUETTE_SAMPLE", 100)
    assert silhouettes(points, [labels])[0] == pytest.approx(exact, abs=0.03)


def test_distances_in_blocks_change_nothing(repeated_rows, monkeypatch):
    points = WeightedPoints.from_rows(repeated_rows)
    labels = fit_kmeans(points, 4).labels
    whole = silhouettes(points, [labels])[0]
    monkeypatch.setattr(criteria, "BLOCK", 50)
    assert silhouettes(points, [labels])[0] == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("k", [2, 4, 7])
def test_silhouettes_of_points_are_those_of_their_customers(repeated_rows, k):
    points = WeightedPoints.from_rows(repeated_rows)
    fit = fit_kmeans(points, k)
    index = np.unique(repeated_rows, axis=0, return_inverse=True)[1].ravel()
    value, neighbour = point_silhouettes(points, fit.labels, np.arange(len(points)))
    rows = fit.labels[index]
    assert value[index] == pytest.approx(silhouette_samples(repeated_rows, rows), abs=1e-12)
    distances = pairwise_distances(repeated_rows)
    means = np.stack([distances[:, rows == one].mean(axis=1) for one in range(k)], axis=1)
    means[np.arange(len(rows)), rows] = np.inf
    assert (neighbour[index] == means.argmin(axis=1)).all()


def test_silhouettes_of_some_points_are_measured_against_all(repeated_rows):
    points = WeightedPoints.from_rows(repeated_rows)
    labels = fit_kmeans(points, 3).labels
    some = np.array([4, 40, 90])
    everywhere = point_silhouettes(points, labels, np.arange(len(points)))
    here = point_silhouettes(points, labels, some)
    assert here[0] == pytest.approx(everywhere[0][some], rel=1e-12)
    assert (here[1] == everywhere[1][some]).all()


def test_clusters_around_one_centre_are_no_worst_case():
    rows = np.array([[-1.0], [1.0], [-3.0], [3.0], [10.0], [11.0]])
    labels = np.array([0, 0, 1, 1, 2, 2])
    points = WeightedPoints(rows, np.ones(6))
    centroids = np.array([[0.0], [0.0], [10.5]])
    assert davies_bouldin(points, labels, centroids) == pytest.approx(
        davies_bouldin_score(rows, labels)
    )
