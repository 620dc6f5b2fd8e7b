import itertools

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from mall_segments import algorithms
from mall_segments.algorithms import (
    ALGORITHMS,
    NOISE,
    compare_algorithms,
    dbscan,
    hdbscan,
    knee,
    map_sides,
    number_by_size,
    self_organising_map,
    ward,
)
from mall_segments.kmeans import fit_kmeans
from mall_segments.lloyd import nearest_centroid
from mall_segments.weighted_points import WeightedPoints

BLOBS = np.repeat([0, 1, 2], 100)


def segments_of(rows, k):
    centroids = fit_kmeans(WeightedPoints.from_rows(rows), k).centroids
    return nearest_centroid(rows, centroids)[0]


def clusters_of(rows, segments, k, **options):
    return {one.algorithm: one.clusters for one in compare_algorithms(rows, segments, k, **options)}


def test_all_find_groups_that_are_far_apart(blobs):
    clusterings = compare_algorithms(blobs, BLOBS, 3)
    assert tuple(one.algorithm for one in clusterings) == ALGORITHMS
    for one in clusterings:
        found = one.clusters != NOISE
        assert found.mean() > 0.9
        assert adjusted_rand_score(BLOBS[found], one.clusters[found]) > 0.95
        assert one.seconds > 0
        assert one.parameters
    libraries = {one.algorithm: one.library.split()[0] for one in clusterings}
    assert libraries.pop("self_organising_map") == "MiniSom"
    assert set(libraries.values()) == {"scikit-learn"}


@pytest.mark.parametrize("k", [1, 2, 5])
def test_clusters_are_numbered_by_size_from_one(mall_rows, k):
    rows = mall_rows()
    for clusters in clusters_of(rows, segments_of(rows, k), k).values():
        sizes = np.bincount(clusters)[1:]
        assert (sizes > 0).all()
        assert (np.diff(sizes) <= 0).all()


def test_equal_clusters_are_numbered_by_their_first_customer():
    assert number_by_size(np.array([4, -1, 9, 4, 9, 2])).tolist() == [1, 0, 2, 1, 2, 3]
    assert number_by_size(np.array([-1, -1])).tolist() == [0, 0]


def test_k_means_is_the_segments_whatever_their_numbers(mall_rows):
    rows = mall_rows()
    segments = segments_of(rows, 5)
    renumbered = (segments + 3) % 5
    found = clusters_of(rows, renumbered, 5)["k_means"]
    assert adjusted_rand_score(segments, found) == 1.0
    assert np.bincount(found)[1:].tolist() == [81, 39, 35, 23, 22]


def test_a_run_is_repeated_exactly(mall_rows):
    rows = mall_rows()
    first = clusters_of(rows, segments_of(rows, 5), 5)
    again = clusters_of(rows, segments_of(rows, 5), 5)
    assert all((first[name] == again[name]).all() for name in ALGORITHMS)


def test_each_tells_the_same_of_moved_and_stretched_groups(blobs):
    """Distances are all that counts: one unit for all features, wherever they begin."""
    before = clusters_of(blobs, BLOBS, 3)
    after = clusters_of(blobs * 4.0 + 7.0, BLOBS, 3)
    for name in ALGORITHMS:
        assert adjusted_rand_score(before[name], after[name]) > 0.98


@pytest.mark.parametrize("customers", [1, 4, 60])
def test_too_few_distinct_customers_are_not_fitted(customers):
    rows = np.tile([[1.0, 2.0]], (customers, 1))
    for one in compare_algorithms(rows, np.zeros(customers, dtype=int), 2):
        expected = 1 if one.algorithm == "k_means" else NOISE
        assert set(one.clusters.tolist()) == {expected}
        assert one.seconds is None
        assert one.parameters == {}


@pytest.mark.parametrize(
    "rows",
    [
        [[0.0], [1.0]],
        [[0.0, 5.0], [1.0, 5.0], [1.0, 5.0], [9.0, 5.0]],
        [[0.0, 0.0, 0.0]] * 30 + [[1.0, 1.0, 1.0]] * 30,
    ],
    ids=["two customers", "a constant feature", "many on two points"],
)
def test_degenerate_customers_are_clustered(rows):
    values = np.array(rows)
    segments = (values[:, 0] > 0.5).astype(int)
    found = clusters_of(values, segments, 2)
    for name in ("ward", "gaussian_mixture", "self_organising_map"):
        assert found[name].max() == 2, name
        assert found[name].min() == 1, name
    assert found["dbscan"].shape == found["hdbscan"].shape == (len(values),)


def test_k_of_one_gives_one_cluster(mall_rows):
    rows = mall_rows()
    found = clusters_of(rows, np.zeros(len(rows), dtype=int), 1)
    for name in ("k_means", "ward", "gaussian_mixture", "self_organising_map"):
        assert set(found[name].tolist()) == {1}


def test_seeds_of_numpy_stay_as_they_are(mall_rows):
    rows = mall_rows()
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    compare_algorithms(rows, segments_of(rows, 3), 3)
    assert np.random.random() == expected


def test_nothing_is_printed_or_warned_of(mall_rows, capfd):
    rows = mall_rows()
    compare_algorithms(rows, segments_of(rows, 5), 5)
    assert capfd.readouterr() == ("", "")


def test_ward_grows_the_sum_of_squares_least(generator):
    """Of all pairs of four customers, the first merge is the one that costs least."""
    rows = generator.normal(size=(4, 2))
    labels, _ = ward(rows, 3)
    pairs = itertools.combinations(range(4), 2)
    nearest = min(pairs, key=lambda pair: ((rows[pair[0]] - rows[pair[1]]) ** 2).sum())
    assert labels[nearest[0]] == labels[nearest[1]]
    assert len(set(labels.tolist())) == 3


@pytest.mark.parametrize(("features", "expected"), [(1, 4), (2, 4), (3, 6)])
def test_density_needs_twice_as_many_customers_as_features(generator, features, expected):
    rows = generator.normal(size=(50, features))
    assert dbscan(rows)[1]["min_samples"] == expected
    assert hdbscan(rows, 0.02)[1]["min_samples"] == expected


def test_a_far_customer_is_noise_to_the_density_methods(blobs):
    rows = np.vstack([blobs, [[100.0, 100.0]]])
    assert dbscan(rows)[0][-1] == -1
    assert hdbscan(rows, 0.02)[0][-1] == -1


@pytest.mark.parametrize(("share", "expected"), [(0.0, 5), (0.02, 6), (0.1, 30)])
def test_a_cluster_has_as_many_customers_as_a_segment_must(blobs, share, expected):
    labels, parameters = hdbscan(blobs, share)
    assert parameters["min_cluster_size"] == expected
    assert np.bincount(labels[labels >= 0]).min() >= expected


def test_the_radius_is_positive_where_customers_repeat():
    rows = np.repeat(np.arange(4.0), 9)[:, None]
    labels, parameters = dbscan(rows)
    assert parameters["eps"] > 0
    assert np.bincount(labels).tolist() == [9, 9, 9, 9]


def test_the_knee_is_where_a_broken_line_breaks():
    curve = np.concatenate([np.linspace(0.0, 1.0, 90), np.linspace(1.0, 9.0, 11)[1:]])
    assert knee(curve) == 89
    assert knee(np.ones(5)) == 0


def test_a_map_has_five_units_per_root_and_the_shape_of_the_customers(generator):
    long = generator.normal(size=(400, 2)) * [4.0, 1.0]
    longer, shorter = map_sides(long)
    assert longer * shorter == pytest.approx(100, abs=10)
    assert longer / shorter == pytest.approx(4, rel=0.2)


def test_a_line_of_customers_has_a_square_map():
    assert map_sides(np.stack([np.arange(100.0), np.zeros(100)], axis=1)) == (7, 7)


def test_a_map_depends_neither_on_the_order_nor_on_a_seed(mall_rows, generator, monkeypatch):
    rows = mall_rows()
    order = generator.permutation(len(rows))
    labels, _ = self_organising_map(rows, 5)
    monkeypatch.setattr(algorithms, "RANDOM_STATE", 99)
    shuffled, _ = self_organising_map(rows[order], 5)
    assert adjusted_rand_score(labels[order], shuffled) == 1.0
