"""`dbt build --target spark` gives the marts of DuckDB."""

import duckdb
import pytest

from tests.integration.spark.comparison import Relation, differences, duckdb_relation

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def tables(made_once):
    """The tables of a build on Spark, by their names."""

    def make(project):
        result = project.dbt("build", "--target", "spark", "--exclude-resource-types", "unit_test")
        assert result.returncode == 0, result.stdout
        assert "WARN=0 ERROR=0 SKIP=0" in result.stdout
        return result

    warehouse = made_once("spark_build", make).folder / "spark-catalog" / "warehouse"
    return {f"{one.parent.stem}.{one.name}": one for one in warehouse.glob("*.db/*")}


def test_every_mart_is_that_of_duckdb(mall, tables):
    marts = [name for name in tables if name.startswith("marts.")]
    with duckdb.connect(str(mall.database), read_only=True) as ours, duckdb.connect() as theirs:
        theirs.execute("set timezone = 'UTC'")
        expected = {
            f"marts.{name}"
            for (name,) in ours.sql(
                "select table_name from duckdb_tables() where schema_name = 'marts'"
            ).fetchall()
        }
        assert set(marts) == expected
        found = []
        for name in marts:
            theirs.execute(f"create or replace view mart as from '{tables[name]}/*.parquet'")
            own = duckdb_relation(ours, name)
            other = duckdb_relation(theirs, "mart")
            # Parquet of Spark has moments where DuckDB has times; names of types are compared
            # elsewhere.
            found += differences(name, own, Relation(other.columns, own.types, other.rows))
    assert found == []
