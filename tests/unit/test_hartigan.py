import numpy as np
import pytest

from mall_segments import hartigan
from mall_segments.hartigan import SingleMoves
from mall_segments.lloyd import nearest_centroid
from mall_segments.weighted_points import WeightedPoints, mean_of_groups


def objective(points, labels, k):
    centroids = mean_of_groups(points.coordinates, points.weights, labels, k)
    return float(points.weights @ ((points.coordinates - centroids[labels]) ** 2).sum(axis=1))


def random_partition(generator, points=30, k=4):
    coordinates = generator.normal(size=(points, 2))
    weights = generator.integers(1, 6, size=points).astype(float)
    labels = generator.integers(0, k, size=points)
    labels[:k] = np.arange(k)
    return WeightedPoints(coordinates, weights), labels


@pytest.mark.parametrize("repetition", range(8))
def test_no_single_move_improves_the_result(generator, repetition):
    points, before = random_partition(generator, points=30 + repetition)
    after, centroids, wcss = SingleMoves(points, 4).improve(before)
    assert wcss == pytest.approx(objective(points, after, 4), rel=1e-9)
    assert wcss <= objective(points, before, 4)
    expected = mean_of_groups(points.coordinates, points.weights, after, 4)
    np.testing.assert_allclose(centroids, expected, atol=1e-12)
    for point in range(len(points)):
        for cluster in range(4):
            moved = after.copy()
            moved[point] = cluster
            if len(np.unique(moved)) == 4:
                assert objective(points, moved, 4) >= wcss * (1 - 1e-9)


def test_the_result_is_a_fixed_point_of_lloyd(generator):
    points, before = random_partition(generator, points=300)
    after, centroids, _ = SingleMoves(points, 4).improve(before)
    np.testing.assert_array_equal(nearest_centroid(points.coordinates, centroids)[0], after)


def test_no_cluster_is_emptied(generator):
    points, before = random_partition(generator, points=6)
    assert set(SingleMoves(points, 4).improve(before)[0]) == {0, 1, 2, 3}


def test_an_empty_cluster_gets_a_point(generator):
    points, before = random_partition(generator)
    assert set(SingleMoves(points, 4).improve(np.minimum(before, 1))[0]) == {0, 1, 2, 3}


def test_points_are_looked_at_in_parts(generator, monkeypatch):
    points, before = random_partition(generator, points=500)
    whole = SingleMoves(points, 4).improve(before)
    monkeypatch.setattr(hartigan, "POINTS_AT_ONCE", 64)
    np.testing.assert_array_equal(SingleMoves(points, 4).improve(before)[0], whole[0])


def test_what_is_not_told_by_the_points_counts_too(generator):
    points, before = random_partition(generator)
    scattered = WeightedPoints(points.coordinates, points.weights, scatter=7.0)
    without, with_scatter = (
        SingleMoves(some, 4).improve(before)[2] for some in (points, scattered)
    )
    assert with_scatter == pytest.approx(without + 7)
