import numpy as np
import pytest

from mall_segments.identity import (
    Identity,
    Registered,
    Verdict,
    adjusted_rand_index,
    contingency,
    explained_table,
    first_identities,
    identify,
)
from mall_segments.kmeans import fit_kmeans
from mall_segments.lloyd import nearest_centroid
from mall_segments.weighted_points import WeightedPoints

TRIALS = 100
# Of the labels of each fit of shuffled rows.
PERMUTATIONS = 10


def register(points, fit, keys=None):
    """Register a fit as a first model, or under the keys that its segments got."""
    squared = ((points.coordinates - fit.centroids[fit.labels]) ** 2).sum(axis=1)
    radii = np.sqrt(
        np.bincount(fit.labels, points.weights * squared) / np.bincount(fit.labels, points.weights)
    )
    given = keys or tuple(one.key for one in first_identities(fit.k))
    return Registered(given, fit.centroids, radii, fit.cluster_weights / fit.cluster_weights.sum())


def refit(registered, rows, k, used_keys=None):
    points = WeightedPoints.from_rows(rows)
    fit = fit_kmeans(points, k)
    return identify(registered, points, fit.labels, used_keys or registered.keys)


def verdicts(identities):
    return {one.key: str(one.verdict) for one in identities}


@pytest.fixture
def mall(mall_rows, mall_points):
    points = mall_points()
    return mall_rows(), register(points, fit_kmeans(points, 5))


def key_of_customers(registered, rows):
    labels, _ = nearest_centroid(rows, registered.centroids)
    return np.array(registered.keys)[labels]


def test_row_order_seed_and_label_permutation_change_no_key_of_any_customer(mall):
    rows, registered = mall
    expected = key_of_customers(registered, rows)
    generator = np.random.default_rng(5)
    for trial in range(TRIALS):
        if trial % PERMUTATIONS == 0:
            points = WeightedPoints.from_rows(rows[generator.permutation(len(rows))])
            fit = fit_kmeans(points, 5, random_state=trial)
        permutation = generator.permutation(5)
        identities = identify(registered, points, permutation[fit.labels], registered.keys)
        assert {str(one.verdict) for one in identities} == {"kept"}
        key_of_cluster = {one.cluster: one.key for one in identities}
        own, _ = nearest_centroid(rows, fit.centroids)
        assert [key_of_cluster[permutation[label]] for label in own] == expected.tolist()


def test_another_unit_with_its_own_scale_gives_the_same_keys(mall_rows):
    rows = mall_rows() * [26.2, 25.8] + [60.6, 50.2]
    keys = []
    for unit in ([1.0, 1.0], [1_000.0, 1.0], [0.001, 100.0]):
        values = rows * unit
        scaled = (values - values.mean(axis=0)) / values.std(axis=0)
        points = WeightedPoints.from_rows(scaled)
        registered = register(points, fit_kmeans(points, 5))
        keys.append(key_of_customers(registered, scaled).tolist())
    assert keys[0] == keys[1] == keys[2]


@pytest.mark.parametrize("change", ["removed", "added"])
@pytest.mark.parametrize("trials", [20, pytest.param(TRIALS, marks=pytest.mark.faults)])
def test_five_percent_other_customers_keep_all_keys(mall, change, trials):
    rows, registered = mall
    generator = np.random.default_rng(17)
    kept = 0
    for _ in range(trials):
        if change == "removed":
            some = rows[generator.permutation(len(rows))[: round(0.95 * len(rows))]]
        else:
            more = rows[generator.integers(len(rows), size=round(0.05 * len(rows)))]
            some = np.vstack([rows, more + generator.normal(scale=0.1, size=more.shape)])
        found = verdicts(refit(registered, some, 5))
        kept += set(found) == set(registered.keys) and set(found.values()) <= {"kept", "moved"}
    assert kept >= 0.99 * trials


def test_a_segment_without_customers_is_retired(mall):
    rows, registered = mall
    rest = rows[key_of_customers(registered, rows) != "S5"]
    assert verdicts(refit(registered, rest, 4)) == {
        "S1": "kept",
        "S2": "kept",
        "S3": "kept",
        "S4": "kept",
        "S5": "retired",
    }


def test_a_planted_group_is_new_and_gets_a_key_that_was_never_given(mall, generator):
    rows, registered = mall
    group = generator.normal([6.0, 6.0], 0.2, size=(40, 2))
    found = refit(registered, np.vstack([rows, group]), 6, used_keys=["S1", "S2", "S9"])
    assert verdicts(found)["S10"] == "new"
    assert [one.shift for one in found if one.key == "S10"] == [None]
    assert set(registered.keys) <= set(verdicts(found))


def test_a_segment_planted_as_two_is_split(generator):
    spots = np.repeat([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]], 100, axis=0)
    before = WeightedPoints.from_rows(spots + generator.normal(scale=0.6, size=(300, 2)))
    registered = register(before, fit_kmeans(before, 3))
    origin = registered.keys[int(np.abs(registered.centroids).sum(axis=1).argmin())]
    halves = np.repeat([[-0.8, 0.0], [0.8, 0.0]], 50, axis=0)
    halves = halves + generator.normal(scale=0.1, size=(100, 2))
    rest = spots[100:] + generator.normal(scale=0.3, size=(200, 2))
    found = refit(registered, np.vstack([halves, rest]), 4)
    parts = [one for one in found if one.verdict is Verdict.SPLIT]
    assert len(parts) == 2
    assert {one.related for one in parts} == {(origin,)}
    assert {one.key for one in parts} == {origin, "S4"}


def test_two_segments_that_become_one_are_merged(generator):
    spots = np.repeat([[0.0, 0.0], [1.5, 0.0], [0.0, 8.0]], [60, 50, 40], axis=0)
    before = WeightedPoints.from_rows(spots + generator.normal(scale=0.2, size=(150, 2)))
    registered = register(before, fit_kmeans(before, 3))
    found = refit(registered, before.coordinates, 2)
    assert verdicts(found) == {"S1": "merged", "S2": "merged", "S3": "kept"}
    into = {one.key: one.related for one in found}
    assert into["S1"] == ("S1", "S2")
    assert into["S2"] == ("S1",)


def test_a_centroid_that_went_further_than_a_quarter_has_moved(mall):
    rows, registered = mall
    moved = rows + np.where(key_of_customers(registered, rows) == "S2", 0.4, 0.0)[:, None]
    found = verdicts(refit(registered, moved, 5))
    assert found == {"S1": "kept", "S2": "moved", "S3": "kept", "S4": "kept", "S5": "kept"}


def test_the_adjusted_rand_index_is_that_of_scikit_learn(generator):
    from sklearn.metrics import adjusted_rand_score

    left, right = generator.integers(4, size=300), generator.integers(3, size=300)
    table = np.zeros((4, 3))
    np.add.at(table, (left, right), 1)
    assert adjusted_rand_index(table) == pytest.approx(adjusted_rand_score(left, right))
    assert adjusted_rand_index(np.array([[5.0]])) == 1.0


def test_what_a_verdict_explains_does_not_count_as_disagreement(mall):
    rows, registered = mall
    points = WeightedPoints.from_rows(rows)
    finer = fit_kmeans(points, 5).labels.copy()
    inside = np.flatnonzero(finer == 0)
    finer[inside[points.coordinates[inside, 0] > np.median(points.coordinates[inside, 0])]] = 5
    table = contingency(registered, points, finer, 6)
    identities = identify(registered, points, finer, registered.keys)
    assert [str(one.verdict) for one in identities].count("split") == 2
    assert adjusted_rand_index(table) < 0.9
    assert adjusted_rand_index(explained_table(table, registered.keys, identities)) == 1.0
    unexplained = [Identity(f"S{number + 1}", Verdict.KEPT, cluster=number) for number in range(6)]
    assert adjusted_rand_index(explained_table(table, registered.keys, unexplained)) < 0.9
