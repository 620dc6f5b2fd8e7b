import numpy as np
import pytest

from mall_segments.kmeans import fit_kmeans
from mall_segments.stability import STABLE_JACCARD, bootstrap_jaccard, certify
from mall_segments.weighted_points import WeightedPoints


def test_separate_groups_come_back_every_time(blobs):
    points = WeightedPoints.from_rows(blobs)
    assert bootstrap_jaccard(points, fit_kmeans(points, 3).centroids) == pytest.approx(1.0)


def test_a_group_cut_in_two_does_not(blobs):
    points = WeightedPoints.from_rows(blobs)
    jaccard = bootstrap_jaccard(points, fit_kmeans(points, 4).centroids)
    assert jaccard.min() < STABLE_JACCARD
    assert jaccard.max() > 0.95


def test_one_cluster_is_always_found_again(mall_points):
    assert bootstrap_jaccard(mall_points(), np.zeros((1, 2))).tolist() == [1.0]


def test_the_probability_of_a_point_is_how_often_refits_agree(blobs):
    between = np.array([[5.0, 0.0]])
    points = WeightedPoints.from_rows(np.vstack([blobs, between]))
    certificate = certify(points, fit_kmeans(points, 3).centroids)
    probability = certificate.probability(np.vstack([blobs[:100], between]))
    assert probability[:100].min() == 1
    assert 0 < probability[-1] < 1
    low, high = certificate.interval()
    assert (low <= certificate.mean).all()
    assert (certificate.mean <= high).all()
    assert certificate.jaccard.shape == (200, 3)


def test_one_cluster_is_certain(mall_points):
    certificate = certify(mall_points(), np.zeros((1, 2)))
    assert certificate.probability(mall_points().coordinates).tolist() == [1.0] * len(mall_points())


def test_the_five_mall_segments_are_stable(mall_points):
    points = mall_points()
    first = bootstrap_jaccard(points, fit_kmeans(points, 5).centroids)
    assert first.min() > 0.9
    np.testing.assert_array_equal(first, bootstrap_jaccard(points, fit_kmeans(points, 5).centroids))
