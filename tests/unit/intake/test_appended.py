"""Only what a source has got new is taken and judged, of a file as of a table."""

import pytest

from mall_segments.errors import NotAppendedError
from mall_segments.intake.appended import LastRow
from mall_segments.intake.source import inspect_file, inspect_relation
from tests.unit.conftest import SEED

from .conftest import SETTINGS

HEADER, *RECORDS = SEED.read_text().splitlines()
NEW = ["201,f,20,30,40", "202,x,21,31,41", "203,f,,32,42"]


@pytest.fixture
def inspect(session, tmp_path):
    """Return a function that inspects records in a kind of source, after the last row if given."""

    def inspect(kind, records, last=None):
        path = tmp_path / "customers.csv"
        path.write_text("\n".join([HEADER, *records]) + "\n")
        if kind == "file":
            return inspect_file(session, path, SETTINGS, last=last)
        source = session.read_csv(str(path), all_varchar=True)
        if kind == "parquet":
            path = tmp_path / "customers.parquet"
            source.write_parquet(str(path))
            return inspect_file(session, path, SETTINGS, last=last)
        source.create_view("customers", replace=True)
        return inspect_relation(session, session.table("customers"), SETTINGS, last)

    return inspect


@pytest.fixture
def last(session, inspect):
    """The last row of the canonical customers."""
    inspect("file", RECORDS).rows.create("before")
    yield LastRow.of(session.table("before"))
    session.execute("drop table before")


KINDS = ["file", "parquet", "relation"]


@pytest.mark.parametrize("kind", KINDS)
def test_new_rows_are_those_of_the_whole_source_after_the_last(inspect, last, kind):
    assert last.line_number == 201
    whole = inspect(kind, [*RECORDS, *NEW]).rows.filter("line_number > 201").fetchall()
    inspection = inspect(kind, [*RECORDS, *NEW], last)
    assert inspection.error is None
    assert inspection.rows.fetchall() == whole
    assert [row[:2] for row in whole] == [(202, "201"), (203, "202"), (204, "203")]
    assert inspection.tally.rows_read == 3
    assert inspection.tally.reasons == {"age:missing": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_new_is_no_row(inspect, last, kind):
    inspection = inspect(kind, RECORDS, last)
    assert inspection.error is None
    assert inspection.rows.fetchall() == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("records", "found"),
    [
        (RECORDS[:-1], "not there"),
        (RECORDS[1:] + NEW, "'201', 'f'"),
        (RECORDS[::-1], "'1', 'Male'"),
    ],
    ids=["fewer", "shifted", "reversed"],
)
def test_another_row_in_the_last_place_is_refused(inspect, last, kind, records, found):
    with pytest.raises(NotAppendedError, match=f"Line 201 of the source is .*{found}"):
        inspect(kind, records, last)


def test_a_part_is_judged_as_a_whole_if_it_is_large(inspect, last):
    dollars = [f"{300 + i},f,20,{40000 + i},40" for i in range(50)]
    assert inspect("file", [*RECORDS, *dollars[:49]], last).error is None
    assert inspect("file", [*RECORDS, *dollars], last).error.code == "UNIT_SUSPECT"
    alike = [f"{300 + i},f,20,30,40" for i in range(60)]
    assert inspect("file", [*RECORDS, *alike], last).error is None


@pytest.mark.usefixtures("last")
def test_nothing_was_taken_from_an_empty_table(session):
    assert LastRow.of(session.table("before").filter("false")) is None
