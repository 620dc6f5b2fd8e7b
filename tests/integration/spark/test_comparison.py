"""The comparison of two engines sees what differs, and nothing else."""

import dataclasses

import duckdb
import pytest

from tests.integration.comparison import Relation, differences, duckdb_relation

OURS = Relation(["key", "value"], ["string", "double"], [("a", 1.0), ("b", None), ("c", 0.0)])


def test_order_last_digits_and_stamps_are_no_difference():
    theirs = dataclasses.replace(OURS, rows=[("c", 1e-13), ("b", None), ("a", 1 + 1e-12)])
    assert list(differences("marts.some", OURS, theirs)) == []
    with duckdb.connect() as connection:
        connection.execute("create table one as select 'x' as build_id, 'b' as key, 1 as born_at")
        assert duckdb_relation(connection, "one") == Relation(["key"], ["string"], [("b",)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"columns": ["key", "other"]}, "columns ['key', 'other'] instead of"),
        ({"types": ["string", "float"]}, "value is of type float instead of double"),
        ({"rows": OURS.rows[:2]}, "2 rows instead of 3"),
        ({"rows": [("a", 1 + 1e-8), *OURS.rows[1:]]}, "value is 1.00000001 instead"),
        ({"rows": [("a", None), *OURS.rows[1:]]}, "value is None instead of 1.0"),
        ({"rows": [("a", 1), *OURS.rows[1:]]}, "value is 1 instead of 1.0"),
        ({"rows": [("d", 1.0), *OURS.rows[1:]]}, "key is 'd' instead of 'c'"),
    ],
)
def test_what_differs_is_said(change, said):
    theirs = dataclasses.replace(OURS, **change)
    assert said in "\n".join(differences("marts.some", OURS, theirs))
