import duckdb
import pytest

from mall_segments.forget.asked import ASKED, KEY, NoIdsError, ask, ids_of_file
from mall_segments.forget.named_rows import id_columns


@pytest.fixture
def keys_of():
    def keys_of(*ids):
        with duckdb.connect() as session:
            count = ask(session, ids)
            keys = [key for (key,) in session.sql(f"from {ASKED}").fetchall()]
        assert count == len(keys)
        return sorted(keys)

    return keys_of


def test_an_id_is_one_however_the_intake_would_read_it(keys_of):
    assert keys_of("42", "0042", "+42.00", " 42\t", "\u00a042 ") == ["42"]
    # As in staging, what is no whole number is nobody else's: compared as it stands, but for space.
    assert keys_of("4.2", "42e0", " B-7 ", "b-7") == ["4.2", "42e0", "B-7", "b-7"]
    assert keys_of("9223372036854775808", "9223372036854775807") == [
        "9223372036854775807",
        "9223372036854775808",
    ]


@pytest.mark.parametrize("ids", [[], [""], [" ", "7"], ["NA"], ["n/a", "7"], ["?"]])
def test_words_for_a_missing_id_are_no_customer(keys_of, ids):
    with pytest.raises(NoIdsError):
        keys_of(*ids)


def test_a_text_of_the_data_is_no_sql(keys_of):
    assert keys_of("'); drop table asked; --") == ["'); drop table asked; --"]
    with duckdb.connect() as session:
        ask(session, ["7"])
        assert session.execute(f"select {KEY}(?)", ["7.0"]).fetchall() == [("7",)]


@pytest.fixture
def ids_in(tmp_path):
    def ids_in(lines, aliases=()):
        path = tmp_path / "ids.csv"
        path.write_text("\n".join(lines), encoding="utf-8-sig")
        return ids_of_file(path, dict(aliases))

    return ids_in


@pytest.mark.parametrize(
    ("lines", "ids"),
    [
        (["7", "", "0042"], ["7", "0042"]),
        (["customer_id", "7"], ["7"]),
        (["name,ID", "Ann,7", "Bob"], ["7"]),
        (['"Customer ID"\tname', "7\tAnn, or so"], ["7"]),
        ([], []),
    ],
)
def test_a_file_has_one_id_a_line_or_a_column_of_them(ids_in, lines, ids):
    assert ids_in(lines) == ids


@pytest.mark.parametrize("lines", [["Ann,7", "Bob,8"], ["id,customer_id", "7,8"]])
def test_a_file_of_several_columns_must_say_which(ids_in, lines):
    with pytest.raises(NoIdsError) as caught:
        ids_in(lines)
    assert "has 2 columns" in caught.value.message
    assert "Ann" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NoIdsError) as caught:
        ids_of_file(tmp_path / "ids.csv", {})
    assert "ids.csv cannot be read" in caught.value.message


def test_the_name_that_a_project_adds_is_known(ids_in):
    assert ids_in(["x,Socio", "1,7"], {"customer_id": ["Socio"]}) == ["7"]
    columns = ["Socio", "Sex", "Age", "Income", "Score"]
    assert id_columns(columns, {"customer_id": ["Socio"]}) == ["Socio"]
    assert id_columns(columns[:2], {"customer_id": ["Socio"]}) == []
