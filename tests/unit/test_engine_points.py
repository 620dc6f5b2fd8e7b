import numpy as np
import pandas as pd
import pytest

from mall_segments import engine_points
from mall_segments.assignment import Scaling
from mall_segments.engine_points import read_cells, read_points
from mall_segments.lloyd import nearest_centroid

FEATURES = ["x0", "x1"]


@pytest.fixture
def crowd(session, generator):
    """Return rows without two alike, most with one customer, with their scaling and values."""
    values = generator.normal([40.0, 7.0], [10.0, 0.5], size=(30_000, 2))
    weights = generator.integers(1, 4, len(values))
    session.from_df(
        pd.DataFrame({"x0": values[:, 0], "x1": values[:, 1], "customers": weights})
    ).create("crowd")
    mean, scale = values.mean(axis=0), values.std(axis=0)
    columns = (mean, scale, values.min(axis=0), values.max(axis=0))
    scaling = [
        Scaling(name, *row)
        for name, row in zip(FEATURES, np.stack(columns, axis=1).tolist(), strict=True)
    ]
    return session.table("crowd"), scaling, (values - mean) / scale, weights


def test_points_that_the_features_do_not_tell_apart_are_added_up(session):
    points = session.sql(
        """
        select *
        from (values (20.0, 5.0, 2), (30.0, 5.0, 3), (20.0, 1.0, 4)) as t(a, b, customers)
        """
    )
    result = read_points(points, [Scaling("b", 1.0, 2.0, 1.0, 5.0)])
    assert result.coordinates.tolist() == [[0.0], [2.0]]
    assert result.weights.tolist() == [4.0, 5.0]
    assert result.scatter == 0


def test_cells_keep_the_customers_their_mean_and_their_sum_of_squares(crowd, monkeypatch):
    rows, scaling, scaled, weights = crowd
    monkeypatch.setattr(engine_points, "LARGEST_CELLS", 1_000)
    cells = read_cells(rows, scaling, "customers")
    assert 250 < len(cells) <= 1_100
    assert cells.customers == weights.sum()
    assert cells.mean == pytest.approx(weights @ scaled / weights.sum(), abs=1e-6)
    centred = scaled - weights @ scaled / weights.sum()
    total = weights @ (centred**2).sum(axis=1)
    assert cells.total_sum_of_squares == pytest.approx(total, rel=1e-6)
    assert (np.diff(cells.coordinates[:, 0]) >= 0).all()


def test_the_wcss_of_cells_is_within_the_stated_bound(crowd, generator, monkeypatch):
    rows, scaling, scaled, weights = crowd
    for largest in (50, 500, 5_000):
        monkeypatch.setattr(engine_points, "LARGEST_CELLS", largest)
        cells = read_cells(rows, scaling, "customers")
        for _ in range(5):
            centroids = generator.normal(size=(4, 2))
            _, squared = nearest_centroid(scaled, centroids)
            of_rows = weights @ squared
            _, squared = nearest_centroid(cells.coordinates, centroids)
            of_cells = cells.weights @ squared
            bound = np.sqrt(cells.scatter) * (1 + 1e-3)
            assert abs(np.sqrt(of_rows) - np.sqrt(of_cells)) <= bound
            # Whole cells cannot do better than each customer alone.
            assert of_cells + cells.scatter >= of_rows * (1 - 1e-6)


def test_neither_order_nor_threads_show_in_cells(crowd, session, monkeypatch):
    _, scaling, _, _ = crowd
    monkeypatch.setattr(engine_points, "LARGEST_POINTS", 1_000)
    monkeypatch.setattr(engine_points, "LARGEST_CELLS", 1_000)
    found = []
    for threads, order in ((1, "x0"), (2, "x1 desc"), (2, "hash(x0)")):
        session.execute(f"set threads = {threads}")
        cells = read_points(session.sql(f"from crowd order by {order}"), scaling)
        found.append((cells.coordinates.tolist(), cells.weights.tolist(), cells.scatter))
    assert found[0] == found[1] == found[2]


def test_a_far_customer_does_not_make_the_cells_of_the_others_coarse(crowd, session, monkeypatch):
    rows, scaling, _, _ = crowd
    monkeypatch.setattr(engine_points, "LARGEST_CELLS", 1_000)
    before = read_cells(rows, scaling, "customers")
    session.execute("insert into crowd values (1e9, 7.0, 1)")
    after = read_cells(session.table("crowd"), scaling, "customers")
    assert len(after) == len(before) + 1
    assert after.scatter == pytest.approx(before.scatter)
