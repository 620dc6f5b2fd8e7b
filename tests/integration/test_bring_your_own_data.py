"""Sources other than the seed, through the command line and through dbt."""

import json
import random

import duckdb
import pytest

from tests.integration.conftest import SEED, WITHOUT_UNIT_TESTS

UNSTAMPED = "columns(lambda name: name not in ('build_id', 'segmented_at'))"
CANONICAL = SEED.read_text()


def disguised():
    """The canonical customers, shuffled and in another spelling."""
    header, *rows = CANONICAL.splitlines()
    random.Random(3).shuffle(rows)
    rows = [row.replace(row.split(",")[0], f"{int(row.split(',')[0]):05d}", 1) for row in rows]
    return "\n".join([header.replace("Gender", "Genre"), *rows]).replace(",", ";")


@pytest.fixture
def file(tmp_path_factory):
    def file(text):
        path = tmp_path_factory.mktemp("source") / "customers.csv"
        path.write_text(text)
        return path

    return file


def test_a_disguised_copy_gives_the_segments_of_the_seed(mall, project, file):
    result = project.run("mall-segments", "build", "--customers", file(disguised()))
    assert result.returncode == 0, result.stdout
    assert "81" in result.stdout
    assert project.marts(project.published) == mall.marts()


def test_a_refused_file_stops_before_dbt_begins(project, file):
    path = file(CANONICAL.replace("\n100,", '\n100,"'))
    result = project.run("mall-segments", "build", "--customers", path)
    assert result.returncode == 2
    assert "MALFORMED_CSV" in result.stdout
    assert "line 101" in result.stdout
    assert not project.warehouse.exists()


def test_a_source_that_is_refused_in_dbt_changes_nothing_of_the_last_build(mall, built, file):
    text = "\n".join(CANONICAL.splitlines()[:30])
    result = built.dbt("build", *WITHOUT_UNIT_TESTS, customers_path=str(file(text)))
    assert result.returncode == 1
    assert "TOO_FEW_ROWS: 29 customers are left, expected at least 50." in result.stdout
    assert "Traceback" not in result.stdout
    assert built.marts() == mall.marts()
    assert built.query("select count(*) from raw.raw_customers") == [(200,)]


def test_parquet_and_a_relation_of_the_warehouse_are_sources(mall, project, file):
    parquet = file("").with_name("customers.parquet")
    with duckdb.connect(str(project.database)) as connection:
        connection.execute("create schema crm")
        connection.execute(
            f"create table crm.customers as from read_csv('{project.seed}') order by random()"
        )
        connection.table("crm.customers").write_parquet(str(parquet))
    # All that any model reads of the source.
    staged = "select * exclude (line_number) from staging.stg_customers order by customer_id"
    judged = ("data_quality_summary", "feature_missingness")
    selected = ("+stg_customers", "+stg_customers_rejected", *(f"+{mart}" for mart in judged))
    for source in ({"customers_relation": "crm.customers"}, {"customers_path": str(parquet)}):
        project.build("--select", *selected, **source)
        assert project.query(staged) == mall.query(staged)
        assert project.query("from staging.stg_customers_rejected") == []
        for mart in judged:
            figures = f"select distinct {UNSTAMPED} from marts.{mart} order by all"
            assert project.query(figures) == mall.query(figures)


def test_a_relation_that_is_not_there_is_named(project):
    result = project.dbt("build", "--select", "+raw_customers", customers_relation="crm.nobody")
    assert "RELATION_NOT_FOUND: There is no relation crm.nobody" in result.stdout
    assert "Traceback" not in result.stdout


def test_quarantine_and_quality_mart_agree_with_inspect(project, file):
    path = file(
        CANONICAL + "201,F,20,30\n202,femlae,20,30,40\n203,femlae,old,30,400\n1,Male,19,15,39\n"
    )
    inspected = json.loads(project.run("mall-segments", "inspect", path, "--json").stdout)
    assert inspected["outcome"] == "build"
    assert inspected["error"] is None
    assert inspected["notes"] == {"gender:not_recognised": 1}
    quarantine = ("+stg_customers_rejected", "+data_quality_summary")
    project.build("--select", *quarantine, customers_path=str(path))
    rejected = project.query(
        "select line_number, reasons, raw_record from staging.stg_customers_rejected order by 1"
    )
    assert [row[:2] for row in rejected] == [
        (202, "field_count"),
        (204, "age:not_a_number, spending_score:out_of_range"),
        (205, "exact_duplicate"),
    ]
    assert rejected[0][2] == '{"fields_found":4}'
    assert json.loads(rejected[1][2])["age"] == "old"
    counted = project.query(
        "select rule, rows_failed from marts.data_quality_summary where rows_failed > 0"
    )
    assert dict(counted) == {
        **inspected["reasons"],
        **inspected["notes"],
        "unrecognised_genders": 2,
        "rejected_rows": inspected["rows_quarantined"],
    }


def test_inspect_names_what_it_refuses_and_how_to_go_on(project, file):
    coded = CANONICAL.replace("Female", "1").replace("Male", "2")
    refused = project.run("mall-segments", "inspect", file(coded), "--json")
    assert refused.returncode == 2
    error = json.loads(refused.stdout)["error"]
    assert error["code"] == "UNRECOGNISED_VALUES"
    assert error["columns"] == ["gender"]
    mapped = project.run(
        "mall-segments", "inspect", file(coded), "--json", "--gender-map", "1=Female,2=Male"
    )
    assert json.loads(mapped.stdout)["outcome"] == "build"
    renamed = file(CANONICAL.replace("Age", "Edad"))
    assert project.run("mall-segments", "inspect", renamed).returncode == 2
    assert project.run("mall-segments", "inspect", renamed, "--alias", "age=Edad").returncode == 0
