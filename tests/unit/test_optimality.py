import itertools
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import KMeans

from mall_segments import optimality
from mall_segments.optimality import LARGEST_POINTS, cost_matrix, lower_bound


@pytest.fixture
def generator():
    return np.random.default_rng(7)


def random_points(generator, m, d=2):
    return generator.normal(size=(m, d)), generator.integers(1, 6, size=m).astype(float)


def objective(coordinates, weights, labels):
    total = 0.0
    for cluster in np.unique(labels):
        own = labels == cluster
        mean = np.average(coordinates[own], axis=0, weights=weights[own])
        total += weights[own] @ ((coordinates[own] - mean) ** 2).sum(axis=1)
    return total


def partition_matrix(weights, labels):
    together = labels[:, None] == labels
    root = np.sqrt(weights)
    return together * np.outer(root, root) / (together @ weights)


def best_known(coordinates, weights, k):
    search = KMeans(k, n_init=50, random_state=0).fit(coordinates, sample_weight=weights)
    return objective(coordinates, weights, search.labels_)


def blobs(generator, k=4, each=8):
    centres = 10.0 * np.array([[0, 0], [1, 0], [0, 1], [2, 2]])[:k]
    coordinates = np.repeat(centres, each, axis=0) + generator.normal(size=(k * each, 2))
    return coordinates, generator.integers(1, 6, size=k * each).astype(float)


def pairs_and_triangles(m):
    i, j, third = np.indices((m, m, m))
    return (i != j) & (i != third) & (j <= third)


def lognormal(generator, noise, like):
    return np.exp(noise * generator.normal(size=len(like)))


def test_the_cost_of_a_partition_matrix_is_its_objective(generator):
    coordinates, weights = random_points(generator, 25, d=3)
    labels = generator.integers(0, 4, size=25)
    matrix = partition_matrix(weights, labels)
    assert (cost_matrix(coordinates, weights) * matrix).sum() == pytest.approx(
        objective(coordinates, weights, labels), rel=1e-12
    )
    assert matrix @ matrix == pytest.approx(matrix)
    assert np.trace(matrix) == pytest.approx(4)
    assert matrix @ np.sqrt(weights) == pytest.approx(np.sqrt(weights))


@pytest.mark.parametrize(("m", "k", "d"), [(20, 2, 1), (30, 4, 2), (40, 3, 3), (40, 6, 2)])
def test_no_partition_goes_below_the_bound(generator, m, k, d):
    coordinates, weights = random_points(generator, m, d)
    bound = lower_bound(coordinates, weights, k)
    assert 0 < bound <= best_known(coordinates, weights, k)
    for clusters in range(1, k + 1):
        for _ in range(100):
            labels = generator.integers(0, clusters, size=m)
            assert bound <= objective(coordinates, weights, labels)


def test_the_bound_meets_the_optimum_found_by_enumeration(generator):
    coordinates, weights = random_points(generator, 8)
    optimum = min(
        objective(coordinates, weights, np.array(labels))
        for labels in itertools.product(range(3), repeat=8)
    )
    assert optimum * (1 - 1e-3) <= lower_bound(coordinates, weights, 3) <= optimum


def test_the_bound_is_tight_on_separated_blobs(generator):
    coordinates, weights = blobs(generator)
    known = best_known(coordinates, weights, 4)
    assert known * (1 - 1e-3) <= lower_bound(coordinates, weights, 4, wcss=known) <= known


def test_triangle_inequalities_tighten_the_bound(generator, monkeypatch):
    coordinates, weights = random_points(generator, 40)
    tightened = lower_bound(coordinates, weights, 4)
    monkeypatch.setattr(optimality, "MOST_ROUNDS", 1)
    assert lower_bound(coordinates, weights, 4) < tightened * (1 - 1e-3)


@pytest.mark.parametrize("iterations", [1, 3, 10, 30])
def test_a_solver_that_stops_early_costs_tightness_only(generator, monkeypatch, iterations):
    monkeypatch.setattr(optimality, "MOST_ITERATIONS", iterations)
    monkeypatch.setattr(optimality, "LEAST_RELATIVE_RISE", -np.inf)
    monkeypatch.setattr(optimality, "MOST_ROUNDS", 4)
    for coordinates, weights in (random_points(generator, 30), blobs(generator)):
        assert lower_bound(coordinates, weights, 4) <= best_known(coordinates, weights, 4)


@pytest.mark.parametrize("noise", [0.0, 1e-6, 1e-3, 1.0])
def test_the_bound_holds_whatever_the_multipliers(generator, noise):
    coordinates, weights = blobs(generator)
    known = best_known(coordinates, weights, 3)
    cost = cost_matrix(coordinates, weights)
    inequalities = generator.choice(np.flatnonzero(pairs_and_triangles(len(weights))), 500)
    solution = optimality._solve(cost, weights, 3, inequalities, None)
    for _ in range(50):
        disturbed = replace(
            solution,
            of_entries=solution.of_entries * lognormal(generator, noise, solution.of_entries),
            of_inequalities=solution.of_inequalities
            + noise * generator.random(len(inequalities)) * solution.of_inequalities.max(),
        )
        combined = optimality._combined_inequalities(disturbed, weights)
        assert optimality._safe_bound(cost, *combined, coordinates, weights, 3) <= known


def test_each_inequality_holds_at_every_partition(generator):
    _, weights = random_points(generator, 12)
    m = len(weights)
    rows = optimality._rows(np.flatnonzero(pairs_and_triangles(m)), weights)
    column, row = np.triu_indices(m)
    for clusters in range(1, m + 1):
        labels = generator.integers(0, clusters, size=m)
        packed = partition_matrix(weights, labels)[row, column]
        assert (rows @ packed).min() >= -1e-12


def test_undefined_multipliers_are_left_out():
    clipped = optimality._nonnegative(np.array([1.0, -1.0, np.nan, np.inf]))
    assert clipped.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_units_of_coordinates_and_weights_only_scale_the_bound(generator):
    coordinates, weights = blobs(generator)
    bound = lower_bound(coordinates, weights, 4)
    scaled = lower_bound(1e4 * coordinates + 1e5, 1e3 * weights, 4)
    assert scaled == pytest.approx(1e11 * bound, rel=1e-3)


def test_one_cluster_and_a_cluster_for_each_point_are_exact(generator):
    coordinates, weights = random_points(generator, 20)
    total = objective(coordinates, weights, np.zeros(20))
    assert total * (1 - 1e-9) <= lower_bound(coordinates, weights, 1) <= total
    assert lower_bound(coordinates, weights, 20) == 0.0


def test_too_many_points_are_refused():
    m = LARGEST_POINTS + 1
    with pytest.raises(ValueError, match=f"Found {m} distinct points, expected at most"):
        lower_bound(np.arange(m, dtype=float)[:, None], np.ones(m), 2)


@pytest.mark.parametrize(
    ("coordinates", "weights", "k", "message"),
    [
        (np.zeros(3), np.ones(3), 2, "expected \\(m, d\\) and \\(m,\\)"),
        (np.zeros((3, 1)), np.ones(2), 2, "expected \\(m, d\\) and \\(m,\\)"),
        (np.array([[0.0], [np.nan]]), np.ones(2), 1, "missing or infinite"),
        (np.array([[0.0], [1.0]]), np.array([1.0, 0.0]), 1, "not positive"),
        (np.array([[0.0], [1.0]]), np.ones(2), 3, "expected k from 1 to 2"),
        (np.array([[0.0], [1.0]]), np.ones(2), 0, "expected k from 1 to 2"),
    ],
)
def test_meaningless_problems_are_refused(coordinates, weights, k, message):
    with pytest.raises(ValueError, match=message):
        lower_bound(coordinates, weights, k)


def test_a_missing_solver_is_named(generator, monkeypatch):
    monkeypatch.setitem(sys.modules, "scs", None)
    with pytest.raises(ImportError, match="scs"):
        lower_bound(*random_points(generator, 20), 3)
