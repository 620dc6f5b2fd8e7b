import numpy as np
import pytest

from mall_segments.errors import TooFewPointsError
from mall_segments.weighted_points import WeightedPoints


def test_rows_are_collected_whatever_their_order(mall_rows, generator):
    rows = mall_rows()
    points = WeightedPoints.from_rows(rows)
    shuffled = WeightedPoints.from_rows(generator.permutation(rows))
    assert len(points) == 196
    assert points.customers == 200
    np.testing.assert_array_equal(points.coordinates, shuffled.coordinates)
    np.testing.assert_array_equal(points.weights, shuffled.weights)


def test_standardised_customers_have_the_published_total_sum_of_squares(mall_points):
    assert mall_points().total_sum_of_squares == pytest.approx(400, rel=1e-12)


def test_coarsening_keeps_weight_and_mean(generator):
    points = WeightedPoints.from_rows(generator.normal(size=(5_000, 2)))
    coarse = points.coarsened(400)
    assert 200 < len(coarse) <= 400
    assert coarse.customers == pytest.approx(5_000)
    np.testing.assert_allclose(coarse.mean, points.mean, atol=1e-12)
    assert coarse.scatter > 0
    assert coarse.total_sum_of_squares == pytest.approx(points.total_sum_of_squares)


def test_points_that_blocks_would_hide_are_sampled(generator):
    points = WeightedPoints.from_rows(generator.normal(size=(5_000, 12)), np.arange(1.0, 5_001))
    coarse = points.coarsened(400)
    assert 300 < len(coarse) <= 400
    assert coarse.customers == pytest.approx(points.customers)
    assert coarse.scatter == 0
    rows = {tuple(row) for row in points.coordinates.tolist()}
    assert all(tuple(row) in rows for row in coarse.coordinates.tolist())


@pytest.mark.parametrize("dimensions", [2, 12])
def test_coarsening_depends_neither_on_the_order_of_rows_nor_of_features(generator, dimensions):
    values = generator.gamma(2.0, size=(5_000, dimensions)).round(3)
    columns = generator.permutation(dimensions)
    first = WeightedPoints.from_rows(values).coarsened(400)
    other = WeightedPoints.from_rows(generator.permutation(values)[:, columns]).coarsened(400)
    one, two = first.in_canonical_order(), other.in_canonical_order()
    np.testing.assert_allclose(
        one[0].coordinates[:, one[1]], two[0].coordinates[:, two[1]], atol=1e-12
    )
    np.testing.assert_allclose(one[0].weights, two[0].weights)


def test_far_points_of_many_dimensions_are_never_in_one_block(generator):
    near = generator.normal(size=(3_000, 17)) * 1e-3
    blocks = WeightedPoints.from_rows(np.vstack([near, near + 1_000.0])).in_blocks(400)
    assert blocks.radius.max() < 1


def test_blocks_hold_their_points(generator):
    rows = generator.normal(size=(5_000, 3)).round(1)
    points = WeightedPoints.from_rows(rows)
    blocks = points.in_blocks(400)
    distance = np.linalg.norm(
        points.coordinates - blocks.points.coordinates[blocks.of_point], axis=1
    )
    assert (distance <= blocks.radius[blocks.of_point] + 1e-12).all()
    assert (blocks.radius <= distance.max()).all()
    assert blocks.scatter.sum() == pytest.approx(points.weights @ distance**2, rel=1e-12)
    assert blocks.points.weights.sum() == 5_000


def test_an_outlier_does_not_hide_the_others():
    rows = np.append(np.linspace(20.0, 20.4, 2_500), 1_000.0)[:, None]
    assert len(WeightedPoints.from_rows(rows).coarsened(2_000)) > 400


def test_few_points_are_left_alone(mall_points):
    points = mall_points()
    assert points.coarsened(196) is points


def test_too_few_points_say_how_many_there_are():
    points = WeightedPoints.from_rows(np.array([[1.0], [1.0], [2.0]]))
    points.require_at_least(2)
    with pytest.raises(TooFewPointsError, match=r"Found 2 distinct .* 3 segments need at least 3"):
        points.require_at_least(3)
