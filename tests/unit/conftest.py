import csv
from pathlib import Path

import duckdb
import numpy as np
import pytest

from mall_segments.weighted_points import WeightedPoints

SEED = Path(__file__).parents[2] / "seeds" / "Mall_Customers.csv"
COLUMN_OF = {"age": 2, "annual_income_k_usd": 3, "spending_score": 4}
INCOME_SCORE = ("annual_income_k_usd", "spending_score")
AGE_INCOME_SCORE = ("age", "annual_income_k_usd", "spending_score")


@pytest.fixture(scope="session")
def mall_rows():
    """The scaled rows of the 200 customers for some features."""
    with SEED.open(newline="") as file:
        records = list(csv.reader(file))[1:]

    def rows(features=INCOME_SCORE):
        values = np.array([[float(row[COLUMN_OF[name]]) for name in features] for row in records])
        return (values - values.mean(axis=0)) / values.std(axis=0)

    return rows


@pytest.fixture(scope="session")
def mall_points(mall_rows):
    def points(features=INCOME_SCORE):
        return WeightedPoints.from_rows(mall_rows(features))

    return points


@pytest.fixture
def generator():
    return np.random.default_rng(42)


@pytest.fixture
def session():
    with duckdb.connect(config={"threads": 2}) as connection:
        yield connection


@pytest.fixture
def blobs(generator):
    """300 customers in three well separated groups."""
    centres = np.repeat([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]], 100, axis=0)
    return centres + generator.normal(size=(300, 2))
