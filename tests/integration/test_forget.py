"""`mall-segments forget` on a real build: the customers are in no file, and the rest works."""

import duckdb

from mall_segments.forget.named_rows import id_columns
from mall_segments.outputs import PAGE_MARK

OF_THEM = "select count(*) from {table} where try_cast({column} as bigint) in (42, 199)"


def rows_of_them(path):
    """How many rows of a database are about the two customers."""
    with duckdb.connect(str(path), read_only=True) as connection:
        columns = {}
        for schema, table, column in connection.sql(
            "select schema_name, table_name, column_name from duckdb_columns()"
            " where database_name = current_database()"
        ).fetchall():
            columns.setdefault(f"{schema}.{table}", []).append(column)
        return sum(
            connection.sql(OF_THEM.format(table=table, column=column)).fetchall()[0][0]
            for table, names in columns.items()
            for column in id_columns(names, {})
        )


def test_customers_are_forgotten_everywhere_and_what_is_left_works(production):
    assert production.run("mall-segments", "export", "--format", "csv").returncode == 0
    report = production.published.with_name("report.html")
    report.write_text(f'{PAGE_MARK}0.1.0">Customer 42')
    kept = list(production.published.with_name("mall_segments.duckdb.kept").glob("*.duckdb"))
    files = [production.warehouse, production.published, *kept]
    assert len(files) == 3
    assert all(rows_of_them(path) for path in files)
    ids = production.folder / "ids.csv"
    ids.write_text("Customer ID;reason\n0199;asked\n4711;asked\n")
    result = production.run("mall-segments", "forget", "42.0", "--from", ids)
    assert result.returncode == 4, result.stderr
    assert "UNKNOWN_CUSTOMERS: 1 of the 3 customers are in no file." in result.stderr
    assert "2 of 3 customers were found. Rows removed: warehouse 45" in result.stdout
    assert "the next build brings them back" in result.stdout
    assert [rows_of_them(path) for path in files] == [0, 0, 0]
    assert len(production.seed.read_text().splitlines()) == 201
    (exported,) = production.folder.glob("exports/csv/current/customer_segments.csv")
    assert len(exported.read_text().splitlines()) == 199
    assert not report.exists()
    assert not (production.folder / "target" / "data_docs").exists()
    assert production.query(
        "select customers_asked, customers_found, rows_in_exports from marts.erasures",
        production.warehouse,
    ) == [(3, 2, 21)]
    # What a build left beside the customers is there, with its comments, as is what they count.
    assert production.query("select count(*) from ml.int_segment_model", production.warehouse)
    assert production.query(
        "select sum(customers) from marts.segment_profiles", production.published
    ) == [(200,)]
    described = (
        "select count(*) from duckdb_columns() where comment is null and schema_name = 'marts'"
    )
    assert production.query(described, production.published) == [(0,)]
    for command in (["explain", "43"], ["report"]):
        assert production.run("mall-segments", *command).returncode == 0
