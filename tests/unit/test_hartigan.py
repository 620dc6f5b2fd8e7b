import numpy as np

from mall_segments.hartigan import improve_by_single_moves
from mall_segments.lloyd import nearest_centroid
from mall_segments.weighted_points import mean_of_groups


def objective(coordinates, weights, labels, k):
    centroids = mean_of_groups(coordinates, weights, labels, k)
    return float(weights @ ((coordinates - centroids[labels]) ** 2).sum(axis=1))


def random_partitions(generator, partitions=8, points=30, k=4):
    coordinates = generator.normal(size=(points, 2))
    weights = generator.integers(1, 6, size=points).astype(float)
    labels = generator.integers(0, k, size=(partitions, points))
    labels[:, :k] = np.arange(k)
    return coordinates, weights, labels


def test_no_single_move_improves_the_result(generator):
    coordinates, weights, labels = random_partitions(generator)
    for before, after in zip(
        labels, improve_by_single_moves(coordinates, weights, labels, 4), strict=True
    ):
        reached = objective(coordinates, weights, after, 4)
        assert reached <= objective(coordinates, weights, before, 4)
        for point in range(len(coordinates)):
            for cluster in range(4):
                moved = after.copy()
                moved[point] = cluster
                if len(np.unique(moved)) == 4:
                    assert objective(coordinates, weights, moved, 4) >= reached * (1 - 1e-9)


def test_the_result_is_a_fixed_point_of_lloyd(generator):
    coordinates, weights, labels = random_partitions(generator)
    for after in improve_by_single_moves(coordinates, weights, labels, 4):
        centroids = mean_of_groups(coordinates, weights, after, 4)
        nearest, _ = nearest_centroid(coordinates, centroids)
        np.testing.assert_array_equal(nearest, after)


def test_no_cluster_is_emptied(generator):
    coordinates, weights, labels = random_partitions(generator, points=6, k=4)
    for after in improve_by_single_moves(coordinates, weights, labels, 4):
        assert set(after) == {0, 1, 2, 3}
