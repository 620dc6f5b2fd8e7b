"""`dbt build --target spark` gives the marts of DuckDB, the first time and the next."""

import csv
import shutil

import duckdb
import pytest
from servers import QUICK_JAVA

from tests.integration.comparison import different_marts
from tests.integration.conftest import WITHOUT_TESTS, WITHOUT_UNIT_TESTS, Project
from tests.waiting import LONGEST

pytestmark = pytest.mark.spark

MOVED, LEFT, JOINED = 1, 2, 201
# One row per stay in a segment; for its times stands the build that had begun last.
STAYS = """
    with builds as (
        select segmented_at, row_number() over (order by segmented_at) as build from {builds}
    )
    select
        customer_id,
        segment_key,
        (select max(build) from builds where segmented_at <= dbt_valid_from) as from_build,
        (select max(build) from builds where segmented_at <= dbt_valid_to) as to_build,
        dbt_updated_at = dbt_valid_from as is_written_then,
        count(*) over (partition by dbt_scd_id) as rows_of_key
    from {stays}
    order by all
"""


def build_on_spark(project, *arguments):
    command = ("--no-use-colors", "build", "--target", "spark", *arguments)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", QUICK_JAVA)
        with project.start("dbt", *command) as building:
            said, _ = building.communicate(timeout=LONGEST)
    assert building.returncode == 0, said
    assert "WARN=0 ERROR=0 SKIP=0" in said


def warehouse_of(project):
    return project.folder / "spark-catalog" / "warehouse"


@pytest.fixture(scope="module")
def spark_project(tmp_path_factory):
    """A project that was built once on Spark. Its catalog names the folder, so it has no copies."""
    project = Project(tmp_path_factory.mktemp("spark_build"))
    build_on_spark(project, *WITHOUT_UNIT_TESTS)
    return project


@pytest.fixture(scope="module")
def first(spark_project, tmp_path_factory):
    """The tables as the first build left them."""
    kept = tmp_path_factory.mktemp("first") / "warehouse"
    return shutil.copytree(warehouse_of(spark_project), kept)


@pytest.fixture(scope="module")
def both(first, spark_project, mall, tmp_path_factory):  # noqa: ARG001
    """The projects on DuckDB and on Spark, built again after customers moved, left and joined."""
    ours = Project(tmp_path_factory.mktemp("duckdb_build"))
    shutil.copy(mall.database, ours.database)
    for project in (ours, spark_project):
        change_customers(project.seed)
    # The model of the first build serves, so that who moved is who was moved here.
    ours.build(refit=False)
    build_on_spark(spark_project, *WITHOUT_TESTS, "--vars", "{refit: false}")
    return ours, spark_project


def change_customers(seed):
    with seed.open(newline="") as file:
        header, *rows = csv.reader(file)
    customers = {int(row[0]): row for row in rows}
    del customers[LEFT]
    # From low income and spending to the highest of both.
    customers[MOVED][3:] = ["137", "83"]
    customers[JOINED] = [str(JOINED), "Female", "30", "60", "50"]
    with seed.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *customers.values()])


def test_every_mart_is_that_of_duckdb(mall, first):
    assert different_marts(mall.database, first) == []


def test_every_mart_is_that_of_duckdb_after_customers_moved(both):
    ours, theirs = both
    assert different_marts(ours.database, warehouse_of(theirs)) == []


def test_stays_are_opened_and_closed_as_on_duckdb(both):
    ours, theirs = both
    expected = ours.query(STAYS.format(builds="marts.builds", stays="ml.customer_segment_history"))
    tables = {
        name: f"read_parquet('{warehouse_of(theirs) / place}/*.parquet')"
        for name, place in (
            ("builds", "marts.db/builds"),
            ("stays", "ml.db/customer_segment_history"),
        )
    }
    found = duckdb.sql(STAYS.format(**tables)).fetchall()
    assert found == expected
    by_build = sorted(found, key=lambda row: row[2])
    (first_key, second_key), (left_key,) = (
        [row[1] for row in by_build if row[0] == customer] for customer in (MOVED, LEFT)
    )
    assert first_key != second_key
    ((joined_key,),) = ours.query(
        f"select segment_key from marts.customer_segments where customer_id = {JOINED}"
    )
    changed = [row[:4] for row in found if row[0] in (MOVED, LEFT, JOINED)]
    assert sorted(changed, key=lambda row: (row[0], row[2])) == [
        (MOVED, first_key, 1, 2),
        (MOVED, second_key, 2, None),
        (LEFT, left_key, 1, 2),
        (JOINED, joined_key, 2, None),
    ]
    assert len(found) == 202
    assert {row[2:] for row in found if row[0] not in (MOVED, LEFT, JOINED)} == {(1, None, True, 1)}


def test_migrations_count_who_moved_left_and_joined(both):
    """On DuckDB; that they are the same on Spark is said above."""
    ours, _ = both
    assert ours.query(
        """
        select from_segment_key is null, to_segment_key is null, customers
        from marts.segment_migrations
        where from_segment_key is distinct from to_segment_key
            and build_id = (select build_id from marts.segmentation_quality)
        order by all
        """
    ) == [(False, False, 1), (False, True, 1), (True, False, 1)]
