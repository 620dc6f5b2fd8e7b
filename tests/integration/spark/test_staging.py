"""The staging models judge the rows of a source alike on DuckDB and on Spark."""

import random

import duckdb
import pytest

from mall_segments.project_sql import project_variables, render_model

pytestmark = [
    pytest.mark.spark,
    # py4j leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

FIELDS = ("customer_id", "gender", "age", "annual_income_k_usd", "spending_score")
SPELLINGS = ["", None, "n/a", "??", "NaN", "x", "1e3", "-5", "+40", "040", "40.0", "40.5", "40."]
NUMBERS = [*SPELLINGS, " 40 ", "\u200340\u3000", "40\n", "40\x00", "9" * 38, "9" * 50, "0.0005"]
GENDERS = [*SPELLINGS, "Female", "MALE ", "f", "Non-Binary", "\u00a0woman", "Frau", "l'homme"]


def source(count):
    """Rows of every spelling, with ids that repeat, some of them with the same values."""
    chance = random.Random(7)
    customers = []
    for line in range(2, count + 2):
        if customers and chance.random() < 0.2:
            fields = list(chance.choice(customers)[1:-2])
        else:
            fields = [str(chance.randrange(count)), "Female", "30", "54.5", "60"]
        if chance.random() < 0.6:
            place = chance.randrange(5)
            fields[place] = chance.choice(GENDERS if place == 1 else NUMBERS)
        broken = chance.random() < 0.05
        fields_found, reason = (4, "field_count") if broken else (5, None)
        customers.append((line, *fields, fields_found, reason))
    return customers


@pytest.fixture(scope="module")
def staged(spark):
    """What both engines make of the source: `stg_customers_parsed` and `stg_customers_rejected`."""
    customers = source(2_000)
    columns = ", ".join(f"{field} string" for field in FIELDS)
    schema = f"line_number bigint, {columns}, fields_found integer, intake_reason string"
    variables = project_variables() | {"gender_map": {"l'homme": "Male", "Frau": "Female"}}
    relations = {name: name for name in ("raw_customers", "stg_customers_parsed")}
    models = ("stg_customers_parsed", "stg_customers_rejected")
    with duckdb.connect() as connection:
        connection.execute(f"create table raw_customers ({schema})")
        connection.executemany(f"insert into raw_customers values ({'?, ' * 7}?)", customers)
        spark.createDataFrame(customers, schema).createOrReplaceTempView("raw_customers")
        answers = {}
        for model in models:
            ours = connection.sql(render_model(model, relations, variables))
            ours.create(model)
            theirs = spark.sql(render_model(model, relations, variables, "spark"))
            theirs.createOrReplaceTempView(model)
            assert theirs.columns == ours.columns
            expected = connection.table(model).order("line_number").fetchall()
            answers[model] = (
                expected,
                [tuple(row) for row in theirs.orderBy("line_number").collect()],
            )
    return answers


@pytest.mark.parametrize("model", ["stg_customers_parsed", "stg_customers_rejected"])
def test_rows_are_judged_alike(staged, model):
    expected, found = staged[model]
    assert found == expected


def test_every_kind_of_row_is_there(staged):
    """Else the comparison would say little."""
    _, found = staged["stg_customers_parsed"]
    reasons = {reason for row in found if row[4] for reason in row[4].split(", ")}
    assert {"field_count", "exact_duplicate", "customer_id:conflict", "age:missing"} < reasons
    assert {"customer_id:out_of_range", "age:not_an_integer", "age:not_a_number"} < reasons
    assert {row[2] for row in found} == {"Female", "Male", "Other", "Unknown"}
    assert sum(row[4] is None for row in found) > 500
