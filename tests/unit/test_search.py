import numpy as np
import pytest
from sklearn.cluster import KMeans

from mall_segments.hartigan import SingleMoves
from mall_segments.kmeans import fit_kmeans
from mall_segments.lloyd import nearest_centroid
from mall_segments.search import LARGEST_EFFORT, recombine, search
from mall_segments.weighted_points import WeightedPoints


@pytest.fixture
def cloud(generator):
    """Points without clusters: many partitions are almost equally good."""
    return WeightedPoints.from_rows(generator.normal(size=(600, 6)))


def test_ends_are_in_order_and_differ(cloud):
    found = search(cloud, 5)
    assert (np.diff(found.wcss) > 0).all()
    for end, wcss in zip(found.ends[:2], found.wcss[:2], strict=True):
        labels, squared = nearest_centroid(cloud.coordinates, end)
        assert squared.sum() == pytest.approx(wcss, rel=1e-9)
        np.testing.assert_array_equal(SingleMoves(cloud, 5).improve(labels)[0], labels)


@pytest.mark.parametrize("k", [3, 6, 9])
def test_no_restart_of_scikit_learn_finds_a_better_partition(cloud, k):
    model = KMeans(k, n_init=60, tol=0, random_state=1).fit(cloud.coordinates)
    assert search(cloud, k).wcss[0] <= model.inertia_ * (1 + 1e-9)


def test_more_effort_finds_no_worse_partition_and_searches_longer(cloud):
    found = [search(cloud, 8, effort) for effort in (1, LARGEST_EFFORT)]
    assert found[1].wcss[0] <= found[0].wcss[0]
    assert found[1].searches > found[0].searches


def test_groups_that_are_plain_are_found_by_every_search_of_the_first_generation(generator):
    centres = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]])
    rows = np.vstack([centre + generator.normal(size=(40, 2)) for centre in centres])
    found = search(WeightedPoints.from_rows(rows), 3)
    assert found.searches_at_best >= found.searches / 2


def test_neither_rows_nor_features_nor_seeds_decide(cloud, generator):
    fit = fit_kmeans(cloud, 6)
    rows, columns = generator.permutation(len(cloud)), generator.permutation(6)
    shuffled = WeightedPoints(cloud.coordinates[rows][:, columns], cloud.weights)
    for random_state in range(3):
        other = fit_kmeans(shuffled, 6, random_state)
        np.testing.assert_array_equal(other.labels, fit.labels[rows])
        assert other.restarts_at_best == fit.restarts_at_best


def test_children_are_made_of_their_parents_and_points(generator):
    coordinates = generator.normal(size=(3, 50, 2))
    ends = generator.normal(size=(3, 4, 5, 2)) + 100
    children = recombine(coordinates, np.ones((3, 50)), ends, 7, generator)
    assert children.shape == (3, 7, 5, 2)
    for of_problem, own_ends, points in zip(children, ends, coordinates, strict=True):
        parents = {tuple(row) for row in own_ends.reshape(-1, 2).tolist()}
        places = {tuple(row) for row in points.tolist()}
        for child in of_problem.tolist():
            new = [tuple(row) for row in child if tuple(row) not in parents]
            assert len(new) <= 1
            assert set(new) <= places


def test_points_without_weight_are_not_drawn(generator):
    coordinates = generator.normal(size=(1, 50, 2))
    weights = np.zeros((1, 50))
    weights[0, 7] = 1
    ends = np.full((1, 1, 3, 2), 100.0)
    children = recombine(coordinates, weights, ends, 20, generator)
    drawn = children[(children != 100).any(axis=3)]
    assert {tuple(row) for row in drawn.tolist()} == {tuple(coordinates[0, 7].tolist())}
