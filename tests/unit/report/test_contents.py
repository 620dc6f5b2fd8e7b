import duckdb
import pytest

from mall_segments.errors import NotBuiltError
from mall_segments.report.contents import _rows, read_contents


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotBuiltError, match=r"There is no database at .*nothing.duckdb"):
        read_contents(tmp_path / "nothing.duckdb")


def test_a_file_without_the_marts_says_what_it_lacks(tmp_path):
    path = tmp_path / "empty.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(NotBuiltError, match=r"lacks what the report shows: .*segmentation_quality"):
        read_contents(path)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "text.duckdb"
    path.write_text("no database" * 1000)
    with pytest.raises(NotBuiltError, match="cannot be read"):
        read_contents(path)


def test_values_become_what_json_has():
    with duckdb.connect() as connection:
        (row,) = _rows(
            connection,
            """
            select
                timestamp '2026-01-02 03:04:05.678' as at,
                'nan'::double as nan,
                'infinity'::double as infinite,
                1.5::decimal(5, 2) as exact,
                0.1 + 0.2::double as figure,
                null as nothing
            """,
        )
    assert row == {
        "at": "2026-01-02 03:04:05",
        "nan": None,
        "infinite": None,
        "exact": 1.5,
        "figure": 0.1 + 0.2,
        "nothing": None,
    }
