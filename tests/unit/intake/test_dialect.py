import pytest

from mall_segments.errors import AmbiguousColumnError, InputRefusedError, MissingColumnError
from mall_segments.intake.dialect import sniff_dialect

HEADER = "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)"


def sniff(text, **aliases):
    return sniff_dialect(text.encode(), aliases)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_one_under_which_the_header_is_complete(delimiter):
    dialect = sniff(HEADER.replace(",", delimiter) + "\n1")
    assert (dialect.delimiter, dialect.header_line) == (delimiter, 1)
    assert dialect.positions == (0, 1, 2, 3, 4)


def test_lines_above_the_header_are_reported():
    dialect = sniff("Mall export,,,,\n\n" + HEADER + "\n")
    assert dialect.preamble == ("Mall export,,,,",)
    assert dialect.header_line == 3


def test_the_header_may_be_quoted_and_shuffled_among_others():
    dialect = sniff('"Notes, all","Score",Age,"Sex",ID,Income (k$)\n')
    assert dialect.positions == (4, 3, 2, 5, 1)
    assert dialect.header.ignored == ("Notes, all",)


@pytest.mark.parametrize(("rows", "is_found"), [(9, True), (10, False)])
def test_the_header_is_among_the_first_ten_records(rows, is_found):
    text = "x,y\n" * rows + HEADER + "\n"
    if is_found:
        assert sniff(text).header_line == rows + 1
    else:
        with pytest.raises(MissingColumnError):
            sniff(text)


def test_a_missing_column_is_told_from_the_best_record():
    with pytest.raises(MissingColumnError) as caught:
        sniff("export of today\nid;sex;age;income;rating\n1;F;20;30;40\n")
    assert caught.value.columns == ["spending_score"]
    assert "The columns are: id, sex, age, income, rating." in caught.value.message


def test_a_field_named_twice_is_ambiguous():
    with pytest.raises(AmbiguousColumnError, match="age: Age, AGE"):
        sniff(HEADER + ",AGE\n")


def test_an_alias_makes_a_header_complete():
    text = HEADER.replace("Age", "Edad") + "\n"
    assert sniff(text, age=["Edad"]).header.columns["age"] == "Edad"


def test_a_quote_that_hides_every_header_is_malformed():
    with pytest.raises(InputRefusedError) as caught:
        sniff('first\n"CustomerID"x;"Gender"x,\n')
    assert (caught.value.code, caught.value.line) == ("MALFORMED_CSV", 2)
