"""Every rule of the intake policy, with what passes and what does not."""

import os
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mall_segments.intake.source import inspect_file, inspect_relation
from tests.unit.conftest import SEED

from .conftest import SETTINGS

HEADER = "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)"
CANONICAL = SEED.read_text()
RECORDS = [line.split(",") for line in CANONICAL.splitlines()[1:]]


def table(*rows):
    """The canonical customers, then some more rows; the first of them stands on line 202."""
    return CANONICAL + "".join(f"{row}\n" for row in rows)


def reasons(inspection):
    assert inspection.error is None, inspection.error
    return inspection.tally.reasons


def accepted(inspection):
    """The accepted customers by content, whatever their order and spelling."""
    assert inspection.error is None, inspection.error
    rows = inspection.rows.project(
        "cast(cast(customer_id as double) as bigint), lower(trim(gender)), "
        "cast(age as double), cast(annual_income_k_usd as double), cast(spending_score as double)"
    )
    return sorted(rows.fetchall())


def test_the_canonical_file_is_200_customers(inspect):
    inspection = inspect(CANONICAL)
    tally = inspection.tally
    assert (tally.rows_read, tally.rows_accepted, tally.notes) == (200, 200, {})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x1,F,20,30,40", "customer_id:not_a_number"),
        (",F,20,30,40", "customer_id:missing"),
        ("201.5,F,20,30,40", "customer_id:not_an_integer"),
        ("-1,F,20,30,40", "customer_id:out_of_range"),
        ("201,F,,30,40", "age:missing"),
        ("201,F,twenty,30,40", "age:not_a_number"),
        ("201,F,19.5,30,40", "age:not_an_integer"),
        ("201,F,0,30,40", "age:out_of_range"),
        ("201,F,121,30,40", "age:out_of_range"),
        ("201,F,20,NULL,40", "annual_income_k_usd:missing"),
        ("201,F,20,$30,40", "annual_income_k_usd:not_a_number"),
        ("201,F,20,1e2,40", "annual_income_k_usd:not_a_number"),
        ("201,F,20,inf,40", "annual_income_k_usd:not_a_number"),
        ('201,F,20,"1,200",40', "annual_income_k_usd:not_a_number"),
        ("201,F,20,0,40", "annual_income_k_usd:out_of_range"),
        ("201,F,20,1000.1,40", "annual_income_k_usd:out_of_range"),
        ("201,F,20,30,??", "spending_score:missing"),
        ("201,F,20,30,high", "spending_score:not_a_number"),
        ("201,F,20,30,0", "spending_score:out_of_range"),
        ("201,F,20,30,101", "spending_score:out_of_range"),
        ("201,F,20,30", "field_count"),
        ("201,F,20,30,40,50", "field_count"),
        ("201,F,20,30,40,50,60,70", "field_count"),
        ("1,Male,19,15,39", "exact_duplicate"),
        ("0001, male ,19.0,15.0,39", "exact_duplicate"),
    ],
)
def test_a_row_that_is_no_customer_is_quarantined_with_its_line(inspect, row, reason):
    inspection = inspect(table(row))
    assert reasons(inspection) == {reason: 1}
    assert inspection.tally.first_lines == {reason: [202]}
    assert inspection.tally.rows_accepted == 200


@pytest.mark.parametrize(
    "row",
    [
        "201,F,20,30,40",
        " 0201 ,F,20.0,30.5,40.",
        "0,F,1,0.01,1",
        "9223372036854775807,F,120,1000,100",
        '"201","F","20","30","40"',
        "201,F,20,30,40\n,,,,\n   \n",
    ],
)
def test_a_row_that_is_a_customer_is_accepted(inspect, row):
    inspection = inspect(table(row))
    assert reasons(inspection) == {}
    assert inspection.tally.rows_accepted == 201


@pytest.mark.parametrize("mark", ["", "NA", "n/a", "Null", "NONE", "nan", "?", "??", "-", " \t "])
def test_every_missing_mark_is_missing(inspect, mark):
    assert reasons(inspect(table(f"201,F,{mark},30,40"))) == {"age:missing": 1}


def test_a_row_may_have_several_reasons(inspect):
    assert reasons(inspect(table("a,F,b,0,"))) == {
        "age:not_a_number": 1,
        "annual_income_k_usd:out_of_range": 1,
        "customer_id:not_a_number": 1,
        "spending_score:missing": 1,
    }


def test_one_id_with_different_values_loses_all_its_rows(inspect):
    inspection = inspect(table("1,Male,20,15,39"))
    assert reasons(inspection) == {"customer_id:conflict": 2}
    assert inspection.tally.first_lines == {"customer_id:conflict": [2, 202]}


@pytest.mark.parametrize(
    ("gender", "notes"),
    [
        ("woman", {}),
        ("M", {}),
        ("Non-Binary", {}),
        ("", {"gender:missing": 1}),
        ("femlae", {"gender:not_recognised": 1}),
    ],
)
def test_gender_costs_no_customer_its_place(inspect, gender, notes):
    inspection = inspect(table(f"201,{gender},20,30,40"))
    assert inspection.tally.rows_accepted == 201
    assert inspection.tally.notes == notes


def test_lines_are_counted_as_in_the_file_even_after_blank_and_broken_ones(inspect):
    inspection = inspect(table("201,F,x,30,40", "", "1,2,3,4,5,6,7,8", "202,F,x,30,40"))
    assert inspection.tally.first_lines == {"age:not_a_number": [202, 205], "field_count": [204]}


def test_other_columns_never_reach_the_database(inspect, session):
    lines = [f"{line},secret{i}@example.org" for i, line in enumerate(CANONICAL.splitlines())]
    lines[0] = f"{HEADER},E-Mail"
    inspection = inspect("\n".join([*lines, "201,F,20,30,40,secret,extra,extra"]))
    assert inspection.header.ignored == ("E-Mail",)
    tables = session.sql("select table_name from duckdb_tables()").fetchall()
    assert ("intake_parsed",) in tables
    for (name,) in tables:
        assert "secret" not in str(session.table(name).fetchall())


def test_a_table_of_the_user_is_left_alone(inspect, session):
    session.execute("create table main.reject_errors as select 1 as kept")
    inspect(table("201,F,20,30,40,50,60"))
    assert session.table("main.reject_errors").fetchall() == [(1,)]
    session.execute("drop table main.reject_errors")


def rows_of(number, gender="F", age="20", income="30", score="40"):
    return [f"{i},{gender},{age},{income},{score}" for i in range(number)]


def varied(number, income=20):
    return [f"{i},F,{20 + i % 40},{income + i % 30},{1 + i % 90}" for i in range(number)]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "NO_ROWS"),
        (varied(60, income=15_000), "UNIT_SUSPECT"),
        (varied(60, income=0.5), None),
        ([row.replace("F", "1") for row in varied(60)], "UNRECOGNISED_VALUES"),
        ([*varied(60), *rows_of(21, age="old")], "TOO_MANY_REJECTS"),
        (varied(49), "TOO_FEW_ROWS"),
        (varied(50), None),
        (rows_of(60), "DEGENERATE"),
        ([f"{i},F,{20 + i},30,40" for i in range(60)], "DEGENERATE"),
    ],
)
def test_gates(inspect, rows, code):
    error = inspect("\n".join([HEADER, *rows])).error
    assert (error.code if error else None) == code


def test_gates_are_checked_in_order(inspect):
    broken = [f"{i},1,old,150000,40" for i in range(60)]
    content = "\n".join([HEADER, *broken])
    assert inspect(content).error.code == "UNIT_SUSPECT"
    assert inspect(content, max_median_income_k_usd=1e6).error.code == "UNRECOGNISED_VALUES"
    known = {"max_median_income_k_usd": 1e6, "gender_map": {"1": "Female"}}
    assert inspect(content, **known).error.code == "TOO_MANY_REJECTS"
    assert inspect(content, **known, max_rejected_share=1).error.code == "TOO_FEW_ROWS"


def test_a_user_may_change_a_gate(inspect):
    content = "\n".join([HEADER, *varied(49)])
    assert inspect(content, min_customers=49).error is None


def test_a_refusal_says_what_was_found_and_what_to_do(inspect):
    rows = [*varied(60), *rows_of(21, age="old")]
    error = inspect("\n".join([HEADER, *rows])).error
    assert error.message == (
        "21 of 81 rows cannot be customers, more than 25%: "
        "age:not_a_number 21 (lines 62, 63, 64, 65, 66: such as 'old'). (line 62)"
    )
    assert error.hint == (
        "Correct the rows. If these rows may be left out, raise max_rejected_share."
    )


def canonical_with(position, change):
    rows = [
        ",".join(change(field) if n == position else field for n, field in enumerate(record))
        for record in RECORDS
    ]
    return "\n".join([HEADER, *rows])


@pytest.mark.parametrize(
    ("content", "found", "advice"),
    [
        (canonical_with(3, lambda field: f'"{field},00"'), "such as '15,00'", "with a point"),
        (canonical_with(3, lambda field: f"${field}"), "such as '$15'", "without currency signs"),
        (
            HEADER + CANONICAL.removeprefix(HEADER).replace("\n", ",\n").removeprefix(","),
            "line 2 has 6 fields, the header 5",
            "as many fields as the header",
        ),
    ],
)
def test_the_message_shows_what_was_found_and_the_hint_helps(inspect, content, found, advice):
    error = inspect(content).error
    assert error.code == "TOO_MANY_REJECTS"
    assert found in error.message
    assert advice in error.hint
    assert "raise" not in error.hint


@pytest.mark.parametrize("value", ["Jane Roe", "Anna", "ann1@example.org", "a1@b.de"])
def test_names_and_addresses_in_a_column_of_numbers_are_not_shown(inspect, value):
    rows = [*varied(60), *rows_of(21, age=value)]
    error = inspect("\n".join([HEADER, *rows])).error
    assert error.code == "TOO_MANY_REJECTS"
    assert value not in str(error)


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (CANONICAL.replace(",", "|"), "MISSING_COLUMN", "one column, with '|' in it"),
        (
            "".join(f'"{line}"\n' for line in CANONICAL.splitlines()),
            "MISSING_COLUMN",
            "in one pair of quotes",
        ),
        ('[{"CustomerID": 1, "Gender": "F"}]', "MISSING_COLUMN", "JSON"),
        ("a note\n" * 10 + CANONICAL, "MISSING_COLUMN", "on line 11"),
        (b"PK\x03\x04\x14\x00\x06\x00xl/workbook.xml", "NUL_BYTE", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "NUL_BYTE", "old Excel workbook"),
        (b"\x1f\x8b\x08\xff", "ENCODING_NOT_UTF8", "gunzip"),
        (canonical_with(3, lambda field: f"{field}000"), "UNIT_SUSPECT", "Divide"),
    ],
)
def test_a_file_of_another_kind_is_told_what_it_is(inspect, content, code, words):
    error = inspect(content).error
    assert error.code == code
    assert words in f"{error.message} {error.hint}"
    assert "add an alias" not in error.hint
    assert "max_median" not in error.hint


def test_values_of_json_are_not_taken_for_columns(inspect):
    assert "Roe" not in str(inspect('[{"name": "Jane Roe"}]').error)


def test_a_wide_file_is_read(inspect):
    """Five columns of 6,000: so many are read record by record."""
    more = ",".join(f"c{n}" for n in range(5_995))
    zeros = ",0" * 5_995
    head, *rows = CANONICAL.splitlines()
    inspection = inspect("\n".join([f"{head},{more}", *(row + zeros for row in rows)]))
    assert accepted(inspection) == accepted(inspect(CANONICAL))


def test_too_little_memory_is_a_refusal(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(CANONICAL)
    with duckdb.connect(config={"memory_limit": "1MB"}) as small:
        error = inspect_file(small, path, SETTINGS).error
    assert error.code == "OUT_OF_MEMORY"
    assert "MALL_SEGMENTS_MEMORY_LIMIT" in error.hint


def test_a_name_that_is_not_utf8_is_refused(session, tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv"))
    path.write_text(CANONICAL)
    error = inspect_file(session, path, SETTINGS).error
    assert error.code == "FILE_NOT_READABLE"
    assert str(error).encode()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("https://example.com/customers.csv", "download it first"),
        ("s3://bucket/customers.csv", "download it first"),
        ("no/such/folder/customers.csv", "there is no folder no"),
    ],
)
def test_a_place_without_a_file_is_told_what_it_is(session, path, words):
    error = inspect_file(session, Path(path), SETTINGS).error
    assert error.code == "FILE_NOT_FOUND"
    assert words in f"{error.message} {error.hint}"


def test_only_columns_at_the_top_of_a_parquet_file_are_columns(session, tmp_path):
    path = tmp_path / "customers.parquet"
    session.sql(
        "select column0 as CustomerID, column1 as Gender,"
        " {'id': 1, 'in': {'score': 2}} as last_order, column2 as Age,"
        " [{'age': 1}] as visits, column3 as income, map {'sex': 1} as more,"
        f" column4 as score from read_csv('{SEED}', header = false, skip = 1)"
    ).write_parquet(str(path))
    inspection = inspect_file(session, path, SETTINGS)
    assert accepted(inspection) == accepted_of_seed(session)
    assert inspection.header.ignored == ("last_order", "visits", "more")


def accepted_of_seed(session):
    return accepted(inspect_file(session, SEED, SETTINGS))


def test_a_nested_column_holds_no_field(session):
    source = session.sql("select 1 as id, 'f' as sex, [20, 21] as age, 30 as income, 40 as score")
    error = inspect_relation(session, source, SETTINGS).error
    assert (error.code, error.columns) == ("NESTED_COLUMN", ["age"])


def test_a_gender_map_gives_numbers_a_meaning(inspect):
    coded = CANONICAL.replace("Female", "1").replace("Male", "2")
    assert inspect(coded).error.code == "UNRECOGNISED_VALUES"
    inspection = inspect(coded, gender_map={"1": "Female", "2": "Male"})
    assert (inspection.error, inspection.tally.notes) == (None, {})


@pytest.mark.parametrize("line", [100, 201])
def test_a_quote_that_never_closes_is_refused_with_its_line(inspect, line):
    lines = CANONICAL.splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(",", ',"', 1)
    error = inspect("".join(lines)).error
    assert (error.code, error.line) == ("MALFORMED_CSV", line)


def test_quoted_line_breaks_and_quotes_inside_fields_are_text(inspect):
    quoted = ['201,"F\nF",20,30,40', '202,"F\rM",20,30,41', '203,"F ""x""",20,30,42']
    inspection = inspect(table(*quoted, '204,5" pipe,20,30,43'))
    assert inspection.tally.rows_accepted == 204
    assert inspection.tally.notes == {"gender:not_recognised": 4}


def test_a_field_without_end_is_refused(inspect):
    error = inspect(table(f"201,{'x' * (1 << 21)},20,30,40\n\n202,F,20,30,40")).error
    assert (error.code, error.line) == ("MALFORMED_CSV", 202)


@pytest.mark.parametrize("name", ["customers[1].csv", "what?.csv", "*.csv", "it's.csv"])
def test_a_file_name_is_no_pattern(session, tmp_path, name):
    (tmp_path / name).write_text(CANONICAL)
    (tmp_path / "other.csv").write_text(table("201,F,20,30,40"))
    assert inspect_file(session, tmp_path / name, SETTINGS).tally.rows_read == 200


def test_parquet_and_relations_are_sources_too(session, tmp_path, inspect):
    csv = tmp_path / "seed.csv"
    csv.write_text(CANONICAL)
    parquet = tmp_path / "customers.parquet"
    relation = session.read_csv(str(csv))
    relation.write_parquet(str(parquet))
    expected = accepted(inspect(CANONICAL))
    assert accepted(inspect_relation(session, session.read_csv(str(csv)), SETTINGS)) == expected
    assert accepted(inspect_file(session, parquet, SETTINGS)) == expected


def test_a_damaged_parquet_file_is_refused(session, tmp_path):
    path = tmp_path / "customers.parquet"
    session.sql(
        "select i as customer_id, 'F' as gender, 20 as age, i % 90 + 10 as income, i % 99 as score "
        "from range(100_000) as t(i)"
    ).write_parquet(str(path))
    whole = path.read_bytes()
    for damaged in (whole[:4] + b"garbage" * 50, whole[:4] + b"!" * 200 + whole[204:]):
        path.write_bytes(damaged)
        assert inspect_file(session, path, SETTINGS).error.code == "MALFORMED_PARQUET"


def test_parquet_with_two_columns_for_a_field_is_not_guessed(session, tmp_path):
    path = tmp_path / "customers.parquet"
    session.sql(
        "select 1 as id, 'F' as gender, 20 as age, 30 as income, 40 as score, 50 as age_b"
    ).write_parquet(str(path))
    path.write_bytes(path.read_bytes().replace(b"age_b", b"aGe__"))
    assert inspect_file(session, path, SETTINGS).error.code == "AMBIGUOUS_COLUMN"


def test_blank_rows_of_a_table_are_no_rows(session, tmp_path):
    csv = tmp_path / "seed.csv"
    csv.write_text(table(",,,,", " ,,,,"))
    rows = session.read_csv(str(csv), all_varchar=True)
    tally = inspect_relation(session, rows, SETTINGS).tally
    assert (tally.rows_read, tally.rows_accepted) == (200, 200)


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\x1c", "\x85"])
@pytest.mark.parametrize("line_end", ["\n", "\r", "\n\n"])
def test_readers_agree_on_what_is_blank(inspect, blank, line_end):
    content = table(f"{blank},,,,", f"201,F,{blank}20{blank},{blank},40").replace("\n", line_end)
    inspection = inspect(content)
    assert inspection.tally.rows_read == 201
    assert reasons(inspection) == {"annual_income_k_usd:missing": 1}


SPELLINGS = {
    0: ["CustomerID", " customer_id", "CUSTID", "ID", "Client-ID"],
    1: ["Gender", "Genre", "SEX "],
    2: ["Age", "AGE (years)", "age"],
    3: ["Annual Income (k$)", "annual_income_k", "Income"],
    4: ["Spending Score (1-100)", "spending score", "Score"],
}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(200)),
    columns=st.permutations(range(5)),
    delimiter=st.sampled_from(",;\t"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    names=st.tuples(*(st.sampled_from(SPELLINGS[column]) for column in range(5))),
    padding=st.sampled_from(["", " ", "  "]),
    mark=st.sampled_from(["", "\ufeff"]),
    quote=st.sampled_from(["", '"']),
    blank_lines=st.booleans(),
)
def test_spelling_changes_no_customer(
    inspect, order, columns, delimiter, line_end, names, padding, mark, quote, blank_lines
):
    def line(fields):
        return delimiter.join(f"{quote}{padding}{fields[i]}{padding}{quote}" for i in columns)

    lines = [line(names), *(line(RECORDS[row]) for row in order)]
    ends = [line_end * (1 + (number % 7 == 0 and blank_lines)) for number in range(len(lines))]
    content = mark + "".join(one + end for one, end in zip(lines, ends, strict=True))
    assert accepted(inspect(content)) == accepted(inspect(CANONICAL))
