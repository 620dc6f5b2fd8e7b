"""`appended: true`: a build that adds the new customers and leaves the others where they are."""

import shutil

import duckdb
import pytest

from tests.integration.comparison import differences, duckdb_relation
from tests.integration.conftest import seed_rows

APPENDED = {"refit": False, "appended": True}
# The snapshot's source, which has only those that it does not know.
OF_ONE_BUILD = "ml.int_customer_assignments"


def early_rows():
    return [*seed_rows()[:150], ["777", "Female", "", "50", "50"]]


def late_rows():
    """The early rows, fifty customers more, and rows of every fate."""
    return [
        *early_rows(),
        *seed_rows()[150:],
        ["900", "Male", "abc", "50", "50"],
        ["901", "f", "33", "60", "44"],
        ["901", "f", "33", "60", "44"],
        ["902", "m", "33", "60", "44"],
        ["902", "m", "34", "60", "44"],
        # Refused before for its age.
        ["777", "Female", "40", "50", "50"],
        ["", "x", "3", "4", "5"],
    ]


@pytest.fixture
def early(made_once, project):
    """A project that was built from the early rows."""

    def make(project):
        project.write_seed(early_rows())
        return project.build()

    shutil.copy(made_once("early_customers", make).database, project.database)
    return project


def relations(database):
    with duckdb.connect(str(database), read_only=True) as connection:
        names = connection.sql(
            "select schema_name || '.' || table_name from duckdb_tables() union all"
            " select schema_name || '.' || view_name from duckdb_views() where not internal"
        ).fetchall()
        return {name: duckdb_relation(connection, name) for (name,) in names}


def test_every_relation_is_that_of_a_whole_build(early, tmp_path):
    before = tmp_path / "before.duckdb"
    shutil.copy(early.database, before)
    early.write_seed(late_rows())
    early.tested_build(**APPENDED)
    found = relations(early.database)
    shutil.copy(before, early.database)
    early.build(refit=False)
    expected = relations(early.database)
    assert set(found) == set(expected)
    left = [name for name in expected if name != OF_ONE_BUILD]
    assert len(expected["marts.customer_segments"].rows) == 202
    assert len(found[OF_ONE_BUILD].rows) == 52
    assert [
        difference for name in left for difference in differences(name, expected[name], found[name])
    ] == []


def test_what_was_not_appended_is_refused_until_all_is_read_again(early):
    staged = ("--select", "Mall_Customers", "raw_customers", "stg_customers_parsed")
    count = "select count(*) from staging.stg_customers_parsed"
    early.write_seed([*early_rows(), ["150", "Male", "20", "15", "39"]])
    result = early.dbt("build", *staged, appended=True)
    assert "The variable appended is True, expected false, or refit: false" in result.stdout
    result = early.dbt("build", *staged, **APPENDED)
    assert result.returncode == 1
    assert "NOT_APPENDED: Line 153 is about customer 150, who was there before" in result.stdout
    assert early.query(count) == [(151,)]
    early.build(*staged, "--full-refresh", **APPENDED)
    assert early.query(count) == [(152,)]
    assert early.query(f"{count} where reasons = 'customer_id:conflict'") == [(2,)]
