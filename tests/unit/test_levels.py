from dataclasses import replace

import numpy as np
import pytest

from mall_segments import levels
from mall_segments.hamerly import converge
from mall_segments.levels import Levels
from mall_segments.lloyd import kmeans_plus_plus, lloyd, nearest_centroid
from mall_segments.weighted_points import WeightedPoints, mean_of_groups


@pytest.fixture
def crowd(generator):
    """Many points in six clusters that overlap."""
    centres = generator.normal(scale=2, size=(6, 2))
    values = centres[generator.integers(0, 6, 40_000)] + generator.normal(size=(40_000, 2))
    return WeightedPoints.from_rows(values.round(2))


def test_few_points_are_their_own_levels(generator):
    points = WeightedPoints.from_rows(generator.normal(size=(500, 2)))
    found = Levels.of(points)
    assert found.middle is points
    assert found.coarse is points


def test_levels_get_coarser_and_keep_customers_and_sum_of_squares(crowd):
    found = Levels.of(crowd)
    assert len(found.coarse) <= levels.COARSE_POINTS < len(found.middle) <= levels.MIDDLE_POINTS
    for level in (found.middle, found.coarse):
        assert level.customers == crowd.customers
        assert level.total_sum_of_squares == pytest.approx(crowd.total_sum_of_squares, rel=1e-9)


def test_many_dimensions_are_sampled(generator):
    points = WeightedPoints.from_rows(generator.normal(size=(3 * levels.SEARCHED_POINTS, 9)))
    found = Levels.of(points)
    assert found.blocks is None
    assert len(found.coarse) == levels.COARSE_POINTS
    assert len(found.middle) == levels.MIDDLE_POINTS


def test_the_best_end_on_all_points_wins_although_it_is_not_the_best_on_coarse_ones(
    crowd, generator, monkeypatch
):
    found = Levels.of(crowd)
    sets = np.broadcast_to(found.coarse.coordinates, (40, *found.coarse.coordinates.shape))
    weights = np.broadcast_to(found.coarse.weights, (40, len(found.coarse)))
    starts = kmeans_plus_plus(sets, weights, 9, generator)
    ends = lloyd(found.coarse.coordinates, found.coarse.weights, starts)
    monkeypatch.setattr(levels, "SEARCH_ERROR", 0.02)
    monkeypatch.setattr(levels, "MIDDLE_ERROR", 0.01)
    labels = found.best(list(ends.centroids), ends.wcss)
    centroids = mean_of_groups(crowd.coordinates, crowd.weights, labels, 9)
    nearest, squared = nearest_centroid(crowd.coordinates, centroids)
    np.testing.assert_array_equal(nearest, labels)
    near = ends.centroids[ends.wcss <= ends.wcss.min() * 1.02]
    assert len(near) > 1
    of_all = [converge(crowd, start).wcss for start in near]
    assert max(of_all) > min(of_all) * (1 + 1e-3)
    assert crowd.weights @ squared <= min(of_all) * (1 + 1e-4)


@pytest.mark.parametrize(("shift", "fits"), [(0.001, 1), (1.0, 2)])
def test_ends_that_are_almost_the_same_go_on_as_one(crowd, monkeypatch, shift, fits):
    found = Levels.of(crowd)
    start = converge(found.middle, found.coarse.coordinates[:6]).centroids
    fitted = []

    def recorded(points, centroids, blocks=None):
        fitted.append(len(points))
        end = converge(points, centroids, blocks)
        # Take both starts as ends of the middle level.
        return end if points is crowd else replace(end, centroids=centroids)

    monkeypatch.setattr(levels, "converge", recorded)
    monkeypatch.setattr(levels, "MIDDLE_ERROR", np.inf)
    monkeypatch.setattr(levels, "SAME_WCSS", -1)
    found.best([start, start + shift], np.array([1.0, 1.0 + 1e-4]))
    assert fitted.count(len(crowd)) == fits
