import numpy as np
import pytest
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    pairwise_distances,
    silhouette_samples,
    silhouette_score,
)

from mall_segments import criteria
from mall_segments.criteria import (
    Silhouette,
    calinski_harabasz,
    davies_bouldin,
    point_silhouettes,
    silhouettes,
)
from mall_segments.kmeans import fit_kmeans, fit_kmeans_path
from mall_segments.lattice import Lattice
from mall_segments.lloyd import nearest_centroid
from mall_segments.weighted_points import WeightedPoints

PUBLISHED_SILHOUETTE = {
    2: 0.2951,
    3: 0.4666,
    4: 0.4939,
    5: 0.5547,
    6: 0.5399,
    7: 0.5281,
    8: 0.4567,
    9: 0.4594,
    10: 0.4505,
}


@pytest.fixture
def repeated_rows(generator):
    """900 rows on few points, so that most points carry several customers."""
    return generator.integers(0, 12, size=(900, 2)).astype(float)


def mean_silhouette(points, labels):
    (found,) = silhouettes(points, [labels])
    assert isinstance(found, Silhouette)
    return found.mean


def force_lattice(monkeypatch):
    """No number of points is few enough for distances of all pairs."""
    monkeypatch.setattr(criteria, "SILHOUETTE_POINTS", 0)


@pytest.mark.parametrize("k", [2, 4, 7])
def test_weighted_criteria_equal_scikit_learn_on_the_rows(repeated_rows, k):
    points = WeightedPoints.from_rows(repeated_rows)
    assert len(points) < 150
    fit = fit_kmeans(points, k)
    rows, _ = nearest_centroid(repeated_rows, fit.centroids)
    assert mean_silhouette(points, fit.labels) == pytest.approx(
        silhouette_score(repeated_rows, rows), rel=1e-9
    )
    assert davies_bouldin(points, fit.labels, fit.centroids) == pytest.approx(
        davies_bouldin_score(repeated_rows, rows), rel=1e-9
    )
    assert calinski_harabasz(points, fit.wcss, k) == pytest.approx(
        calinski_harabasz_score(repeated_rows, rows), rel=1e-9
    )


def test_the_mall_criteria_are_the_published_ones(mall_points):
    points = mall_points()
    path = fit_kmeans_path(points, 10)
    one, *several = silhouettes(points, [fit.labels for fit in path])
    assert one is None
    assert {each.standard_error for each in several} == {0.0}
    values = {k: each.mean for k, each in enumerate(several, start=2)}
    assert {k: round(values[k], 4) for k in PUBLISHED_SILHOUETTE} == PUBLISHED_SILHOUETTE
    five = path[4]
    assert values[5] == pytest.approx(0.554657, abs=1e-6)
    assert davies_bouldin(points, five.labels, five.centroids) == pytest.approx(0.572236, abs=1e-6)
    assert calinski_harabasz(points, five.wcss, 5) == pytest.approx(248.649, abs=1e-3)


def test_one_cluster_has_no_criteria(mall_points):
    points = mall_points()
    fit = fit_kmeans(points, 1)
    assert silhouettes(points, [fit.labels]) == [None]
    assert davies_bouldin(points, fit.labels, fit.centroids) is None
    assert calinski_harabasz(points, fit.wcss, 1) is None


def test_a_customer_alone_scores_zero_as_in_scikit_learn():
    rows = np.array([[0.0], [1.0], [10.0]])
    labels = np.array([0, 0, 1])
    points = WeightedPoints.from_rows(rows)
    assert mean_silhouette(points, labels) == pytest.approx(silhouette_score(rows, labels))


def test_a_perfect_fit_has_no_calinski_harabasz():
    points = WeightedPoints.from_rows(np.array([[0.0], [0.0], [1.0]]))
    assert calinski_harabasz(points, 0.0, 2) is None


@pytest.mark.parametrize("features", [1, 2, 3])
@pytest.mark.parametrize("k", [2, 5])
def test_on_a_lattice_all_customers_count(generator, monkeypatch, features, k):
    rows = generator.integers(0, 9, size=(600, features)) * np.array([1.0, 0.5, 0.1])[:features]
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    points = WeightedPoints.from_rows(rows)
    index = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    partitions = [
        np.zeros(len(points), dtype=np.intp),
        fit_kmeans(points, k).labels,
        # By chance, so that neighbours tie, with a cluster of one point.
        np.r_[k, np.arange(len(points) - 1) % k],
    ]
    direct = silhouettes(points, partitions)
    force_lattice(monkeypatch)
    one, *several = silhouettes(points, partitions)
    assert one is None
    for labels, found, expected in zip(partitions[1:], several, direct[1:], strict=True):
        assert found.mean == pytest.approx(expected.mean, rel=1e-9)
        assert found.mean == pytest.approx(silhouette_score(rows, labels[index]), rel=1e-9)
        assert found.standard_error == 0.0


def test_customers_alone_score_zero_on_a_lattice_too(monkeypatch):
    rows = np.array([[0.0, 0.0], [1.0, 0.0], [10.0, 3.0], [20.0, 1.0], [21.0, 1.0]])
    labels = np.array([0, 0, 1, 2, 2])
    force_lattice(monkeypatch)
    assert mean_silhouette(WeightedPoints.from_rows(rows), labels) == pytest.approx(
        silhouette_score(rows, labels), rel=1e-12
    )


def test_a_small_cluster_beside_millions_keeps_its_digits(generator, monkeypatch):
    """What the others leave of everybody must be exact for the largest cluster."""
    coordinates = np.unique(generator.integers(0, 40, size=(900, 2)), axis=0).astype(float)
    weights = np.where(coordinates[:, 0] < 30, 1e6, 1.0)
    points = WeightedPoints(coordinates, weights)
    labels = (coordinates[:, 0] >= 30).astype(np.intp) + (coordinates[:, 1] >= 38)
    direct = silhouettes(points, [labels])[0]
    value, _ = point_silhouettes(points, labels, np.arange(len(points)))
    force_lattice(monkeypatch)
    assert silhouettes(points, [labels])[0].mean == pytest.approx(direct.mean, rel=1e-9)
    found, _ = point_silhouettes(points, labels, np.arange(len(points)))
    assert found == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_all_pairs_are_measured_where_they_are_fewer_than_the_cells(repeated_rows, monkeypatch):
    far = np.vstack([repeated_rows, [[300.0, 200.0]]])
    points = WeightedPoints.from_rows(far)
    labels = fit_kmeans(points, 4).labels
    expected = silhouettes(points, [labels])
    force_lattice(monkeypatch)
    monkeypatch.setattr(Lattice, "distance_sums", None)
    assert silhouettes(points, [labels]) == expected


@pytest.mark.parametrize("sample", [60, 100])
def test_many_points_off_a_lattice_are_sampled(generator, monkeypatch, sample):
    rows = np.vstack([generator.normal(centre, 1.0, size=(300, 2)) for centre in (0.0, 3.0, 6.0)])
    points = WeightedPoints.from_rows(rows)
    labels = fit_kmeans(points, 3).labels
    exact = silhouettes(points, [labels])[0]
    monkeypatch.setattr(criteria, "SILHOUETTE_POINTS", 100)
    monkeypatch.setattr(criteria, "SILHOUETTE_SAMPLE", sample)
    found = silhouettes(points, [labels])[0]
    value, _ = point_silhouettes(points, labels, np.arange(len(points)))
    assert found.standard_error == pytest.approx(value.std() / np.sqrt(sample), rel=0.3)
    assert abs(found.mean - exact.mean) < 3 * found.standard_error


def test_the_sample_shrinks_with_the_points_so_that_the_work_does_not_grow(generator, monkeypatch):
    points = WeightedPoints.from_rows(generator.normal(size=(900, 2)))
    labels = fit_kmeans(points, 3).labels
    errors = []
    for work in (900 * 400, 900 * 100, 0):
        monkeypatch.setattr(criteria, "SILHOUETTE_POINTS", 100)
        monkeypatch.setattr(criteria, "SILHOUETTE_WORK", work)
        errors.append(silhouettes(points, [labels])[0].standard_error)
    smallest = np.sqrt(criteria.SMALLEST_SAMPLE)
    assert errors[1] == pytest.approx(2 * errors[0], rel=0.2)
    assert errors[2] == pytest.approx(errors[0] * 20 / smallest, rel=0.3)


def test_distances_in_blocks_change_nothing(repeated_rows, monkeypatch):
    points = WeightedPoints.from_rows(repeated_rows)
    labels = fit_kmeans(points, 4).labels
    whole = mean_silhouette(points, labels)
    monkeypatch.setattr(criteria, "BLOCK", 50)
    assert mean_silhouette(points, labels) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("by_lattice", [False, True])
@pytest.mark.parametrize("k", [2, 4, 7])
def test_silhouettes_of_points_are_those_of_their_customers(
    repeated_rows, monkeypatch, k, by_lattice
):
    if by_lattice:
        force_lattice(monkeypatch)
    points = WeightedPoints.from_rows(repeated_rows)
    fit = fit_kmeans(points, k)
    index = np.unique(repeated_rows, axis=0, return_inverse=True)[1].ravel()
    value, neighbour = point_silhouettes(points, fit.labels, np.arange(len(points)))
    rows = fit.labels[index]
    assert value[index] == pytest.approx(silhouette_samples(repeated_rows, rows), abs=1e-12)
    distances = pairwise_distances(repeated_rows)
    means = np.stack([distances[:, rows == one].mean(axis=1) for one in range(k)], axis=1)
    means[np.arange(len(rows)), rows] = np.inf
    assert (neighbour[index] == means.argmin(axis=1)).all()


@pytest.mark.parametrize("by_lattice", [False, True])
def test_silhouettes_of_some_points_are_measured_against_all(
    repeated_rows, monkeypatch, by_lattice
):
    points = WeightedPoints.from_rows(repeated_rows)
    labels = fit_kmeans(points, 3).labels
    some = np.array([4, 40, 90])
    everywhere = point_silhouettes(points, labels, np.arange(len(points)))
    if by_lattice:
        force_lattice(monkeypatch)
    here = point_silhouettes(points, labels, some)
    assert here[0] == pytest.approx(everywhere[0][some], rel=1e-12)
    assert (here[1] == everywhere[1][some]).all()


def test_clusters_around_one_centre_are_no_worst_case():
    rows = np.array([[-1.0], [1.0], [-3.0], [3.0], [10.0], [11.0]])
    labels = np.array([0, 0, 1, 1, 2, 2])
    points = WeightedPoints(rows, np.ones(6))
    centroids = np.array([[0.0], [0.0], [10.5]])
    assert davies_bouldin(points, labels, centroids) == pytest.approx(
        davies_bouldin_score(rows, labels)
    )
