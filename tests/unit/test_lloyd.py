import numpy as np
import pytest
from sklearn.cluster import KMeans

from mall_segments.lloyd import kmeans_plus_plus, lloyd, nearest_centroid


def random_problem(generator, starts=12, points=60, k=4):
    coordinates = generator.normal(size=(points, 3))
    weights = generator.integers(1, 5, size=points).astype(float)
    chosen = [generator.choice(points, k, replace=False) for _ in range(starts)]
    return coordinates, weights, np.stack([coordinates[index] for index in chosen])


def test_agrees_with_scikit_learn_from_the_same_start(generator):
    coordinates, weights, starts = random_problem(generator)
    batch = lloyd(coordinates, weights, starts)
    for start, labels, wcss in zip(starts, batch.labels, batch.wcss, strict=True):
        model = KMeans(4, init=start, n_init=1, tol=0, algorithm="lloyd")
        model.fit(coordinates, sample_weight=weights)
        assert wcss == pytest.approx(model.inertia_, rel=1e-9)
        np.testing.assert_array_equal(labels, model.labels_)


def test_a_problem_does_not_depend_on_the_rest_of_its_batch(generator):
    coordinates, weights, starts = random_problem(generator, starts=600)
    together = lloyd(coordinates, weights, starts)
    for index in (0, 299, 599):
        alone = lloyd(coordinates, weights, starts[index : index + 1])
        np.testing.assert_array_equal(alone.centroids[0], together.centroids[index])
        assert alone.wcss[0] == together.wcss[index]


def test_own_points_per_problem_equal_shared_points(generator):
    coordinates, weights, starts = random_problem(generator)
    repeated = np.repeat(coordinates[None], len(starts), axis=0)
    repeated_weights = np.repeat(weights[None], len(starts), axis=0)
    own = lloyd(repeated, repeated_weights, starts)
    np.testing.assert_array_equal(own.labels, lloyd(coordinates, weights, starts).labels)


def test_a_weight_counts_as_that_many_rows(generator):
    coordinates, weights, starts = random_problem(generator)
    rows = np.repeat(coordinates, weights.astype(int), axis=0)
    unweighted = lloyd(rows, np.ones(len(rows)), starts)
    np.testing.assert_allclose(lloyd(coordinates, weights, starts).wcss, unweighted.wcss)


def test_points_without_weight_do_not_pull(generator):
    coordinates, weights, starts = random_problem(generator)
    outlier = np.vstack([coordinates, [[50.0, 50.0, 50.0]]])
    with_outlier = lloyd(outlier, np.append(weights, 0.0), starts)
    np.testing.assert_allclose(with_outlier.wcss, lloyd(coordinates, weights, starts).wcss)


def test_an_empty_cluster_is_filled_again():
    coordinates = np.array([[0.0], [1.0], [10.0], [11.0]])
    batch = lloyd(coordinates, np.ones(4), np.array([[[0.0], [500.0]]]))
    assert sorted(batch.centroids[0, :, 0]) == [0.5, 10.5]


def test_the_lowest_number_wins_a_tie():
    labels, squared = nearest_centroid(np.array([[0.0]]), np.array([[1.0], [-1.0]]))
    assert labels.tolist() == [0]
    assert squared.tolist() == [1.0]


def test_kmeans_plus_plus_starts_on_distinct_points_with_weight(generator):
    coordinates = np.repeat(np.arange(6.0)[None, :, None], 200, axis=0)
    weights = np.repeat(np.array([[1.0, 2.0, 0.0, 1.0, 0.0, 3.0]]), 200, axis=0)
    starts = kmeans_plus_plus(coordinates, weights, 4, generator)[:, :, 0]
    assert {tuple(sorted(start)) for start in starts} == {(0.0, 1.0, 3.0, 5.0)}
