import duckdb
import pytest

from mall_segments.project_sql import project_variables, render_sql


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """A Spark session with the settings of the target spark, one for all tests."""
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("spark")))
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture
def answers(spark):
    """What DuckDB and Spark answer to a query of the project's macros, as lists of tuples."""

    def ask(text: str) -> tuple[list[tuple], list[tuple]]:
        ours, theirs = (
            render_sql(text, {}, project_variables(), engine) for engine in ("duckdb", "spark")
        )
        with duckdb.connect() as connection:
            expected = connection.sql(ours).fetchall()
        return expected, [tuple(row) for row in spark.sql(theirs).collect()]

    return ask
