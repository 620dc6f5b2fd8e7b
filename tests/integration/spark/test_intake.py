"""The intake takes the same rows of a table on Spark as on DuckDB."""

import duckdb
import pytest

from mall_segments.dbt_intake import raw_customers
from mall_segments.project_sql import project_variables
from tests.integration.conftest import SEED

pytestmark = [
    pytest.mark.spark,
    # py4j leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
BLANK = [(None,) * 5, ("",) * 5, (" ", "\t", "\u00a0", "\u3000\n", None)]


def test_rows_of_white_space_are_no_rows(spark):
    settings = project_variables()
    with duckdb.connect() as connection:
        connection.execute(
            f"create table seed as from read_csv('{SEED}', header = true, all_varchar = true)"
        )
        connection.executemany("insert into seed values (?, ?, ?, ?, ?)", BLANK)
        connection.execute("insert into seed values ('\u00a0201', 'Other', '40\t', '50', '50')")
        seed = connection.table("seed")
        expected = raw_customers(connection, seed, None, settings).order("line_number").fetchall()
        rows, columns = seed.fetchall(), [f"`{name}` string" for name in seed.columns]
    found = raw_customers(spark, spark.createDataFrame(rows, ", ".join(columns)), None, settings)
    assert [row[0] for row in expected[-2:]] == [201, 205]
    assert [tuple(row) for row in found.orderBy("line_number").collect()] == expected
