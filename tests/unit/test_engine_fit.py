import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler

from mall_segments import engine_fit, engine_points
from mall_segments.engine_fit import assign_relation, segment_relation, sweep_relation
from mall_segments.errors import TooFewPointsError
from tests.unit.conftest import SEED

FEATURES = ["x0", "x1", "x2"]


@pytest.fixture
def customers(session, generator):
    """Return a table of normal clusters, of whole numbers or not."""

    def table(size=20_000, *, whole):
        centres = generator.normal(scale=30, size=(5, 3)) + 100
        values = centres[generator.integers(0, 5, size)] + generator.normal(scale=8, size=(size, 3))
        values = values.round() if whole else values
        columns = {"customer_id": np.arange(size)} | dict(zip(FEATURES, values.T, strict=True))
        session.from_df(pd.DataFrame(columns)).create("customers")
        return session.table("customers"), values

    return table


def labels_of(relation):
    return np.array([n for _, n in relation.order("customer_id").fetchall()])


def wcss_of(values, labels):
    """The objective over all rows, by its definition."""
    scaled = StandardScaler().fit_transform(values)
    return sum(
        ((scaled[labels == n] - scaled[labels == n].mean(axis=0)) ** 2).sum()
        for n in np.unique(labels)
    )


@pytest.fixture
def passes_only(monkeypatch):
    """Let every relation have too many distinct vectors for Python."""
    monkeypatch.setattr(engine_points, "LARGEST_POINTS", 1_000)
    monkeypatch.setattr(engine_fit, "SAMPLE_ROWS", 4_000)


def test_the_mall_customers_get_the_best_known_partition(session):
    session.execute(f"create table mall as from read_csv('{SEED}')")
    rows = session.sql(
        'select CustomerID as customer_id, "Annual Income (k$)" as income,'
        ' "Spending Score (1-100)" as score from mall'
    )
    fit, relation = segment_relation(session, rows, ["income", "score"], 5)
    assert fit.wcss == pytest.approx(65.568408, abs=1e-6)
    assert fit.sizes.tolist() == [81, 39, 35, 23, 22]
    assert np.bincount(labels_of(relation)).tolist() == [81, 39, 35, 23, 22]


def test_points_have_the_objective_of_all_rows_and_scikit_learn_agrees(customers, session):
    rows, values = customers(whole=True)
    fit, relation = segment_relation(session, rows, FEATURES, 5)
    labels = labels_of(relation)
    assert (fit.route, fit.passes) == ("points", 0)
    assert fit.wcss == pytest.approx(wcss_of(values, labels), rel=1e-9)
    scaled = StandardScaler().fit_transform(values)
    other = KMeans(5, init=fit.centroids, n_init=1, tol=0.0).fit(scaled)
    assert (other.labels_ == labels).all()
    best = KMeans(5, n_init=10, random_state=0).fit(scaled).inertia_
    assert fit.wcss <= best * (1 + 1e-9)


@pytest.mark.usefixtures("passes_only")
@pytest.mark.parametrize("whole", [True, False])
def test_passes_end_at_a_fixed_point_of_all_rows(customers, whole, session):
    rows, values = customers(whole=whole)
    fit, relation = segment_relation(session, rows, FEATURES, 5, exact=True)
    labels = labels_of(relation)
    assert fit.route == "passes"
    assert fit.passes > 1
    assert fit.wcss == pytest.approx(wcss_of(values, labels), rel=1e-9)
    assert np.bincount(labels).tolist() == fit.sizes.tolist()
    scaled = StandardScaler().fit_transform(values)
    for number in range(5):
        assert fit.centroids[number] == pytest.approx(scaled[labels == number].mean(axis=0))
    best = KMeans(5, n_init=10, random_state=0).fit(scaled).inertia_
    assert fit.wcss <= best * (1 + 1e-4)


@pytest.mark.usefixtures("passes_only")
def test_a_tolerance_saves_passes_and_keeps_the_wcss_of_all_rows(customers, session):
    rows, values = customers(whole=False)
    exact, _ = segment_relation(session, rows, FEATURES, 5, exact=True)
    near, relation = segment_relation(session, rows, FEATURES, 5)
    assert near.passes <= exact.passes
    assert near.wcss == pytest.approx(exact.wcss, rel=1e-4)
    labels = labels_of(relation)
    assert np.bincount(labels).tolist() == near.sizes.tolist()
    scaled = StandardScaler().fit_transform(values)
    squared = ((scaled - near.centroids[labels]) ** 2).sum()
    assert near.wcss == pytest.approx(squared, rel=1e-9)


@pytest.mark.parametrize("whole", [True, False])
def test_neither_order_nor_threads_show(customers, session, monkeypatch, whole):
    monkeypatch.setattr(engine_points, "LARGEST_POINTS", 1_000 if not whole else 10**6)
    customers(whole=whole)
    found = []
    for threads, order in ((1, "customer_id"), (2, "x0 desc"), (2, "hash(customer_id)")):
        session.execute(f"set threads = {threads}")
        rows = session.sql(f"from customers order by {order}")
        fit, relation = segment_relation(session, rows, FEATURES, 4)
        found.append((fit.wcss, fit.centroids.tolist(), labels_of(relation).tolist()))
    assert found[0] == found[1] == found[2]


def test_a_constant_feature_tells_nobody_apart(session):
    rows = session.sql(
        "select i as customer_id, 7 as x0, i % 2 * 10 + i // 50 as x1 from range(100) t(i)"
    )
    fit, _ = segment_relation(session, rows, ["x0", "x1"], 2)
    assert fit.scaling[0].scale == 1
    assert fit.sizes.tolist() == [50, 50]


def test_more_than_six_segments_are_assigned_by_the_least_distance(customers, session):
    rows, values = customers(5_000, whole=True)
    fit, relation = segment_relation(session, rows, FEATURES, 9)
    scaled = StandardScaler().fit_transform(values)
    nearest = ((scaled[:, None] - fit.centroids) ** 2).sum(axis=2).argmin(axis=1)
    assert (labels_of(relation) == nearest).all()


def test_whole_numbers_far_from_zero_are_points_too(session):
    rows = session.sql(
        "select i as customer_id, 5e9 + i % 2 * 10 + i // 50 as x0 from range(100) t(i)"
    )
    fit, relation = segment_relation(session, rows, ["x0"], 2)
    assert fit.centroids[0, 0] * fit.scaling[0].scale + fit.scaling[0].mean == 5e9 + 0.5
    assert np.bincount(labels_of(relation)).tolist() == [50, 50]


@pytest.mark.parametrize(
    ("sql", "k"),
    [
        ("select 1 as customer_id, 2 as x0 where false", 1),
        ("select i as customer_id, i % 2 as x0 from range(10) t(i)", 3),
    ],
)
def test_too_few_vectors_are_refused(session, sql, k):
    with pytest.raises(TooFewPointsError):
        segment_relation(session, session.sql(sql), ["x0"], k)


def test_the_sweep_of_points_is_that_of_all_rows(customers, session):
    rows, values = customers(3_000, whole=True)
    sweep = sweep_relation(session, rows, FEATURES, 6)
    assert [row.fit.k for row in sweep] == [1, 2, 3, 4, 5, 6]
    assert sweep[0].silhouette is None
    scaled = StandardScaler().fit_transform(values)
    for row in sweep[1:]:
        best = KMeans(row.fit.k, n_init=10, random_state=0).fit(scaled)
        assert row.fit.wcss <= best.inertia_ * (1 + 1e-4)
        assert row.silhouette_standard_error == 0
        if row.fit.wcss == pytest.approx(best.inertia_, rel=1e-9):
            assert row.silhouette == pytest.approx(silhouette_score(scaled, best.labels_))


@pytest.mark.usefixtures("passes_only")
def test_the_sweep_of_passes_has_the_wcss_of_all_rows(customers, session):
    rows, values = customers(whole=False)
    sweep = sweep_relation(session, rows, FEATURES, 5)
    fit, _ = segment_relation(session, rows, FEATURES, 5)
    assert sweep[0].fit.wcss == pytest.approx(values.size, rel=1e-9)
    assert sweep[4].fit.wcss == fit.wcss
    assert sweep[4].silhouette_standard_error > 0
    labels = labels_of(assign_relation(rows, sweep[4].fit))
    assert fit.wcss == pytest.approx(wcss_of(values, labels), rel=1e-5)
    scaled = StandardScaler().fit_transform(values)
    full = silhouette_score(scaled, labels, sample_size=5_000, random_state=0)
    assert sweep[4].silhouette == pytest.approx(full, abs=0.03)
