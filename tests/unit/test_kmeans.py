import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from mall_segments.errors import TooFewPointsError
from mall_segments.kmeans import fit_kmeans, fit_kmeans_path
from mall_segments.lloyd import nearest_centroid
from mall_segments.weighted_points import WeightedPoints

from .conftest import AGE_INCOME_SCORE

# Best of thousands of converged restarts, standardised income and score.
BEST_KNOWN_WCSS = {
    2: 269.016794,
    3: 157.704008,
    4: 108.921317,
    5: 65.568408,
    6: 55.057348,
    7: 44.864756,
    8: 37.148117,
    9: 32.330814,
    10: 29.061153,
}


def labels_of_rows(rows, fit):
    return nearest_centroid(rows, fit.centroids)[0]


@pytest.mark.parametrize("random_state", range(20))
def test_every_seed_reaches_the_best_known_wcss(mall_points, random_state):
    path = fit_kmeans_path(mall_points(), 10, random_state)
    assert {fit.k: round(fit.wcss, 6) for fit in path[1:]} == BEST_KNOWN_WCSS


@pytest.mark.parametrize("random_state", range(20))
def test_every_seed_reaches_the_best_known_wcss_of_three_features(mall_points, random_state):
    path = fit_kmeans_path(mall_points(AGE_INCOME_SCORE), 6, random_state)
    assert path[4].wcss == pytest.approx(168.247580, abs=1e-6)
    assert path[5].wcss == pytest.approx(133.868334, abs=1e-6)
    assert path[5].cluster_weights.tolist() == [45, 39, 38, 33, 24, 21]


def test_the_seed_does_not_show_in_the_fit(mall_points):
    first, second = (fit_kmeans(mall_points(), 5, seed) for seed in (1, 2))
    np.testing.assert_array_equal(first.centroids, second.centroids)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert (first.restarts, first.restarts_at_best) == (second.restarts, second.restarts_at_best)


@pytest.mark.parametrize("k", [2, 5, 9])
def test_scikit_learn_on_the_rows_agrees(mall_rows, k):
    rows = mall_rows()
    fit = fit_kmeans(WeightedPoints.from_rows(rows), k)
    model = KMeans(k, init=fit.centroids, n_init=1, tol=0).fit(rows)
    assert fit.wcss == pytest.approx(model.inertia_, rel=1e-9)
    assert adjusted_rand_score(model.labels_, labels_of_rows(rows, fit)) == 1
    np.testing.assert_allclose(model.cluster_centers_, fit.centroids, atol=1e-9)


def test_the_order_of_the_rows_does_not_show(mall_rows, generator):
    rows = mall_rows()
    fit = fit_kmeans(WeightedPoints.from_rows(rows), 5)
    shuffled = fit_kmeans(WeightedPoints.from_rows(generator.permutation(rows)), 5)
    np.testing.assert_array_equal(fit.centroids, shuffled.centroids)


def test_shift_and_scale_move_the_centroids_along(mall_rows):
    rows = mall_rows()
    fit = fit_kmeans(WeightedPoints.from_rows(rows), 5)
    moved = fit_kmeans(WeightedPoints.from_rows(rows * 8 - 3), 5)
    np.testing.assert_allclose(moved.centroids, fit.centroids * 8 - 3, atol=1e-9)
    assert moved.wcss == pytest.approx(64 * fit.wcss)


def test_customers_that_come_twice_change_only_the_weights(mall_rows):
    rows = mall_rows()
    fit = fit_kmeans(WeightedPoints.from_rows(rows), 5)
    doubled = fit_kmeans(WeightedPoints.from_rows(np.vstack([rows, rows])), 5)
    np.testing.assert_allclose(doubled.centroids, fit.centroids)
    assert doubled.wcss == pytest.approx(2 * fit.wcss)
    np.testing.assert_array_equal(doubled.cluster_weights, 2 * fit.cluster_weights)


def test_clusters_are_numbered_by_size_then_place(mall_points):
    assert fit_kmeans(mall_points(), 5).cluster_weights.tolist() == [81, 39, 35, 23, 22]
    even = WeightedPoints.from_rows(np.array([[9.0], [10.0], [0.0], [1.0]]))
    assert fit_kmeans(even, 2).centroids[:, 0].tolist() == [0.5, 9.5]


def test_overlapping_clusters_reach_scikit_learn(generator):
    centres = np.array([[0, 0], [4, 0], [0, 4], [4, 4], [2, 8], [9, 3]], dtype=float)
    rows = centres[generator.integers(0, 6, 6_000)] + generator.normal(size=(6_000, 2))
    fit = fit_kmeans(WeightedPoints.from_rows(rows), 6)
    model = KMeans(6, n_init=10, tol=0, random_state=0).fit(rows)
    assert fit.wcss <= model.inertia_ * (1 + 1e-9)


def test_more_points_than_the_search_takes_still_reach_scikit_learn(generator):
    centres = generator.normal(scale=2, size=(6, 5))
    rows = centres[generator.integers(0, 6, 30_000)] + generator.normal(size=(30_000, 5))
    fit = fit_kmeans(WeightedPoints.from_rows(rows), 6)
    model = KMeans(6, n_init=10, tol=0, random_state=0).fit(rows)
    assert fit.wcss <= model.inertia_ * (1 + 1e-9)


def test_as_many_clusters_as_points_fit_exactly():
    points = WeightedPoints.from_rows(np.array([[0.0], [3.0], [7.0]]))
    fit = fit_kmeans(points, 3)
    assert fit.wcss == 0
    assert sorted(fit.centroids[:, 0]) == [0, 3, 7]


def test_more_clusters_than_points_are_refused():
    with pytest.raises(TooFewPointsError):
        fit_kmeans(WeightedPoints.from_rows(np.array([[0.0], [3.0]])), 3)
