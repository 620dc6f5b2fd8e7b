import tracemalloc

import numpy as np
import pytest

from mall_segments import convolution
from mall_segments import lattice as lattice_module
from mall_segments.lattice import Lattice
from mall_segments.weighted_points import WeightedPoints

CELLS = 1 << 20
SHAPES = [(300,), (7, 30), (30, 7), (5, 11, 19), (19, 11, 5), (3, 4, 5, 6)]


def distances(points):
    offsets = points.coordinates[:, None] - points.coordinates[None]
    return np.sqrt((offsets**2).sum(axis=2))


def integer_points(generator, shape, customers=400):
    """Customers with integer features, scaled as the project scales them."""
    rows = np.stack([generator.integers(0, length, customers) for length in shape], axis=1)
    return WeightedPoints.from_rows((rows - rows.mean(axis=0)) / rows.std(axis=0))


def sums_of_groups(generator, shape):
    """Sums of distances to large and small groups on a lattice of a shape, and the direct ones."""
    points = integer_points(generator, shape)
    lattice = Lattice.of(points, CELLS)
    for share in (1.0, 0.5, 0.05):
        members = np.flatnonzero(generator.random(len(points)) < share)
        direct = distances(points)[:, members] @ points.weights[members]
        yield lattice.distance_sums(members), direct


@pytest.mark.parametrize("shape", SHAPES)
def test_sums_of_distances_are_the_direct_ones(generator, shape):
    for sums, direct in sums_of_groups(generator, shape):
        assert sums == pytest.approx(direct, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_single_precision_loses_a_ten_millionth(generator, monkeypatch, shape):
    monkeypatch.setattr(lattice_module, "DOUBLE_CELLS", 0)
    for sums, direct in sums_of_groups(generator, shape):
        error = np.abs(sums - direct)
        assert 0 < error.max() <= 1e-7 * direct.max()


def test_a_coarse_axis_beside_fine_ones_takes_no_more_memory(generator):
    lattice = Lattice.of(integer_points(generator, (600, 300, 2), customers=2_000), 1 << 24)
    tracemalloc.start()
    lattice.distance_sums(np.arange(2_000 // 2))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= 16 * lattice.padded_cells


def test_a_group_on_one_point_has_its_distances(generator):
    points = integer_points(generator, (20, 20))
    lattice = Lattice.of(points, CELLS)
    sums = lattice.distance_sums(np.array([17]))
    direct = points.weights[17] * distances(points)[17]
    assert sums == pytest.approx(direct, rel=1e-12, abs=1e-12)
    assert (sums >= 0).all()


def test_blocks_of_a_transform_change_nothing(generator, monkeypatch):
    points = integer_points(generator, (12, 13, 14))
    members = np.flatnonzero(points.coordinates[:, 0] > 0)
    whole = Lattice.of(points, CELLS).distance_sums(members)
    monkeypatch.setattr(convolution, "VALUES_AT_ONCE", 1)
    blocks = Lattice.of(points, CELLS).distance_sums(members)
    assert (blocks == whole).all()


@pytest.fixture(scope="module")
def fine_and_coarse():
    """Customers on a large lattice whose axes have steps of 1 to 4, and all their distances."""
    points = integer_points(np.random.default_rng(5), (200, 60, 50), customers=4_000)
    return points, distances(points)


@pytest.mark.parametrize("customers", [1, 2, 8, 200, 1_500, 3_900])
def test_without_high_frequencies_mean_distances_are_those_asked_for(
    fine_and_coarse, generator, customers
):
    points, all_distances = fine_and_coarse
    lattice = Lattice.of(points, 1 << 24)
    for members in (np.arange(customers), generator.choice(len(points), customers, replace=False)):
        weight = points.weights[members].sum()
        direct = all_distances[:, members] @ points.weights[members]
        error = (lattice.distance_sums(members) - direct) / weight / all_distances.max()
        assert np.abs(error).max() <= 2e-5
        # They even out, or those of one to another point of a group would all be too long.
        assert abs(error[members].mean()) <= 2e-7


def test_high_frequencies_are_left_out_for_large_groups_only(fine_and_coarse, monkeypatch):
    points, _ = fine_and_coarse
    groups = np.arange(1_500), np.arange(200)
    lattice = Lattice.of(points, 1 << 24)
    large, small = (lattice.distance_sums(members) for members in groups)
    monkeypatch.setattr(lattice_module, "MOST_KEPT", 0.0)
    with_all = Lattice.of(points, 1 << 24)
    assert (large != with_all.distance_sums(groups[0])).any()
    assert (small == with_all.distance_sums(groups[1])).all()


def test_high_frequencies_stay_where_many_customers_share_a_place(fine_and_coarse):
    points, all_distances = fine_and_coarse
    weights = points.weights.copy()
    weights[17] = 200.0
    members = np.flatnonzero(points.coordinates[:, 0] < points.coordinates[17, 0] + 0.5)
    lattice = Lattice.of(WeightedPoints(points.coordinates, weights), 1 << 24)
    direct = all_distances[:, members] @ weights[members]
    assert np.abs(lattice.distance_sums(members) - direct).max() <= 1e-7 * direct.max()


@pytest.mark.parametrize("shape", [(7,), (8,), (9, 6), (5, 4, 3)])
def test_the_bound_of_what_is_left_out_is_one(generator, shape):
    points = integer_points(generator, shape, customers=30)
    lattice = Lattice.of(points, CELLS)
    places = np.stack(lattice.places)
    offsets = np.abs(places[:, :, None] - places[:, None])
    for offset in np.ndindex(lattice.shape):
        kernel = np.zeros(lattice.shape)
        kernel[offset] = 1.0
        largest = (kernel[tuple(offsets)] @ points.weights).max()
        bound = lattice._largest_sum(kernel)
        assert largest - 1e-9 <= bound <= 2 ** len(shape) * points.weights.max() + 1e-9


@pytest.mark.parametrize("step", [1.0, 0.5, 0.1, 0.01, 1000.0, 86400.0])
@pytest.mark.parametrize("origin", [0.0, -3.0, 17.3, 1e4])
def test_a_common_step_is_found_after_scaling(generator, step, origin):
    number = np.unique(generator.integers(0, 400, 150))
    values = origin + number * step
    points = WeightedPoints.from_rows(((values - values.mean()) / values.std())[:, None])
    lattice = Lattice.of(points, CELLS)
    assert (lattice.places[0] == number - number[0]).all()
    assert lattice.steps[0] == pytest.approx(step / values.std(), rel=1e-9)


def test_the_step_divides_all_gaps_though_none_is_as_small():
    points = WeightedPoints.from_rows(np.array([[0.0], [0.6], [1.5], [2.5]]))
    lattice = Lattice.of(points, CELLS)
    assert lattice.places[0].tolist() == [0, 6, 15, 25]


def test_constant_features_take_no_axis():
    rows = np.array([[5.0, 1.0, 0.0], [5.0, 2.0, 0.0], [5.0, 4.0, 0.0]])
    assert Lattice.of(WeightedPoints.from_rows(rows), CELLS).shape == (4,)


def test_one_point_is_no_lattice():
    assert Lattice.of(WeightedPoints(np.zeros((1, 2)), np.ones(1)), CELLS) is None


def test_continuous_features_are_on_no_lattice(generator):
    rows = np.stack([generator.integers(0, 9, 500), generator.normal(size=500)], axis=1)
    assert Lattice.of(WeightedPoints.from_rows(rows), CELLS) is None


@pytest.mark.parametrize(("shift", "is_lattice"), [(1e-13, True), (1e-9, False), (1e-6, False)])
def test_a_value_beside_the_step_is_on_no_lattice(shift, is_lattice):
    values = np.arange(100.0)
    values[40] += shift * 99
    found = Lattice.of(WeightedPoints.from_rows(values[:, None]), CELLS)
    assert (found is not None) == is_lattice


def test_a_lattice_of_too_many_cells_is_refused(generator):
    points = integer_points(generator, (30, 40))
    cells = Lattice.of(points, CELLS).padded_cells
    assert Lattice.of(points, cells) is not None
    assert Lattice.of(points, cells - 1) is None
