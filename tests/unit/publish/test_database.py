import duckdb
import pytest

from mall_segments.errors import AuditFailedError
from mall_segments.publish.audit import audit_published
from mall_segments.publish.database import write_published


@pytest.fixture
def warehouse(tmp_path):
    """Write a warehouse whose log has these rows of the flag, none for one of before it."""

    def warehouse(*flags):
        path = tmp_path / "ware.house.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute("create schema marts")
            connection.execute("create table marts.profiles as select 'S1' as segment_key")
            connection.execute("create table marts.customer_segments as select 7 as customer_id")
            connection.execute("comment on column marts.customer_segments.customer_id is 'Who.'")
            connection.execute("create table marts.builds (build_id varchar)")
            if flags:
                connection.execute("alter table marts.builds add publishes_customers boolean")
                connection.executemany(
                    "insert into marts.builds values ('b', ?)", [[flag] for flag in flags]
                )
        return path

    return warehouse


@pytest.mark.parametrize(
    ("flags", "are_public"),
    [((), True), ((None,), True), ((False, True), True), ((True, False), False)],
)
def test_the_last_build_says_whether_single_customers_are_published(
    warehouse, tmp_path, flags, are_public
):
    path, published = warehouse(*flags), tmp_path / "published.duckdb"
    write_published(path, published)
    audit_published(published, path)
    with duckdb.connect(str(published), read_only=True) as connection:
        names = {
            name for (name,) in connection.sql("select table_name from duckdb_tables()").fetchall()
        }
    assert names == {"builds", "profiles"} | ({"customer_segments"} if are_public else set())


def test_customers_that_are_published_all_the_same_are_found_out(warehouse, tmp_path):
    path, published = warehouse(True), tmp_path / "published.duckdb"
    write_published(path, published)
    with duckdb.connect(str(path)) as connection:
        connection.execute("insert into marts.builds values ('c', false)")
    with pytest.raises(AuditFailedError) as caught:
        audit_published(published, path)
    assert "marts.customer_segments" in caught.value.message
