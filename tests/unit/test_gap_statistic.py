import numpy as np
import pytest

from mall_segments.gap_statistic import Gap, gap_statistics, preferred_k
from mall_segments.kmeans import fit_kmeans_path
from mall_segments.weighted_points import WeightedPoints


def gaps_of(points, k_max=6):
    return gap_statistics(points, [fit.wcss for fit in fit_kmeans_path(points, k_max)])


def test_three_groups_are_found(blobs):
    assert preferred_k(gaps_of(WeightedPoints.from_rows(blobs))) == 3


def test_no_groups_are_found_where_there_are_none(generator):
    uniform = generator.random(size=(300, 2))
    assert preferred_k(gaps_of(WeightedPoints.from_rows(uniform))) == 1


def test_the_mall_customers_prefer_one(mall_points):
    assert preferred_k(gaps_of(mall_points(), 10)) == 1


def test_the_unit_of_the_features_does_not_matter(mall_rows):
    rows = mall_rows()
    values = [gap.value for gap in gaps_of(WeightedPoints.from_rows(rows))]
    scaled = [gap.value for gap in gaps_of(WeightedPoints.from_rows(rows * 7))]
    assert scaled == pytest.approx(values, abs=1e-6)


def test_a_perfect_fit_has_no_gap():
    points = WeightedPoints.from_rows(np.array([[0.0], [0.0], [1.0], [1.0]]))
    assert gap_statistics(points, [1.0, 0.0])[1] is None
    assert preferred_k([Gap(0.1, 0.01), None]) is None
