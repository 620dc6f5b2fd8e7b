import math

import duckdb
import numpy as np
import pytest

from mall_segments.duckdb_engine import relation_from_rows


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def test_values_survive_the_way_into_the_engine(connection):
    rows = [
        (1, math.pi, "it's", True, None),
        (2, 1e-300, 'a "quote"', False, 0.1 + 0.2),
        (3, np.float64(1) / 3, "naïve", np.True_, -0.0),
    ]
    columns = [("a", "integer"), ("b", "double"), ("c", "string"), ("d", "boolean")]
    relation = relation_from_rows(connection, [*columns, ("e", "double")], rows)
    assert relation.columns == ["a", "b", "c", "d", "e"]
    assert relation.fetchall() == rows


def test_no_rows_keep_their_types(connection):
    relation = relation_from_rows(connection, [("a", "integer"), ("b", "string")], [])
    assert relation.fetchall() == []
    assert [str(kind) for kind in relation.types] == ["INTEGER", "VARCHAR"]
