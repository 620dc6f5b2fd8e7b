import duckdb
import numpy as np
import pytest

from mall_segments.assignment import Scaling
from mall_segments.duckdb_engine import assign

SCALING = [
    Scaling("annual_income_k_usd", 60.0, 25.0, 15.0, 137.0),
    Scaling("spending_score", 50.0, 26.0, 1.0, 99.0),
]


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def customers(connection, rows):
    values = ", ".join(
        f"({number}, 'Female', 30.0, {income}::double, {score}::double)"
        for number, (income, score) in enumerate(rows)
    )
    columns = "customer_id, gender, age, annual_income_k_usd, spending_score"
    return connection.sql(f"select * from (values {values}) as customers({columns})")


def assigned(connection, rows, centroids):
    keys = [f"S{number + 1}" for number in range(len(centroids))]
    relation = assign(customers(connection, rows), SCALING, np.array(centroids), keys)
    columns = relation.columns
    return [
        dict(zip(columns, row, strict=True)) for row in relation.order("customer_id").fetchall()
    ]


@pytest.mark.parametrize("k", [2, 3, 7, 20])
def test_the_arithmetic_agrees_with_distances_in_numpy(connection, generator, k):
    rows = np.column_stack([generator.uniform(10, 140, 300), generator.uniform(1, 100, 300)])
    centroids = generator.normal(size=(k, 2))
    scaled = (rows - [60.0, 50.0]) / [25.0, 26.0]
    distance = np.sqrt(((scaled[:, None] - centroids) ** 2).sum(axis=2))
    order = np.argsort(distance, axis=1)
    for number, result in enumerate(assigned(connection, rows, centroids)):
        nearest, runner_up = order[number, :2]
        assert result["segment_key"] == f"S{nearest + 1}"
        assert result["runner_up_segment_key"] == f"S{runner_up + 1}"
        assert result["distance_to_centroid"] == pytest.approx(distance[number, nearest])
        assert result["runner_up_distance"] == pytest.approx(distance[number, runner_up])
        margin = 1 - distance[number, nearest] / distance[number, runner_up]
        assert result["assignment_margin"] == pytest.approx(margin, abs=1e-12)


def test_the_margin_is_one_at_the_centroid_and_zero_on_the_border(connection):
    at_centroid, on_border = assigned(connection, [(60, 50), (85, 50)], [[0.0, 0.0], [2.0, 0.0]])
    assert at_centroid["assignment_margin"] == 1
    assert at_centroid["distance_to_centroid"] == 0
    assert on_border["assignment_margin"] == 0
    assert (on_border["segment_key"], on_border["runner_up_segment_key"]) == ("S1", "S2")


def test_one_segment_has_no_runner_up(connection):
    (result,) = assigned(connection, [(85, 50)], [[0.0, 0.0]])
    assert result["segment_key"] == "S1"
    assert result["distance_to_centroid"] == pytest.approx(1)
    assert result["runner_up_segment_key"] is None
    assert result["assignment_margin"] is None


@pytest.mark.parametrize(
    ("row", "expected"),
    [((15, 1), False), ((137, 99), False), ((14.9, 50), True), ((60, 99.5), True)],
)
def test_out_of_domain_is_beyond_the_fitted_range(connection, row, expected):
    (result,) = assigned(connection, [row], [[0.0, 0.0], [1.0, 1.0]])
    assert result["is_out_of_domain"] is expected
