import pytest

from mall_segments.errors import AmbiguousColumnError, MissingColumnError, SettingError
from mall_segments.intake.header import ALIASES, normalised, resolve_header

PUBLIC = ["CustomerID", "Gender", "Age", "Annual Income (k$)", "Spending Score (1-100)"]


def test_the_public_header_is_known():
    assert list(resolve_header(PUBLIC).columns.values()) == PUBLIC


@pytest.mark.parametrize(
    ("field", "alias"), [(field, alias) for field, aliases in ALIASES.items() for alias in aliases]
)
def test_every_alias_is_known_in_any_case_and_position(field, alias):
    names = [name for name in PUBLIC if resolve_header(PUBLIC).columns[field] != name]
    header = resolve_header([f"  {alias.upper()} ", *reversed(names)])
    assert header.columns[field] == f"  {alias.upper()} "


def test_other_columns_are_named_as_ignored():
    assert resolve_header(["E-Mail", *PUBLIC, "Notes"]).ignored == ("E-Mail", "Notes")


def test_names_match_exactly_and_never_by_prefix():
    names = [*PUBLIC[:3], "Annual Income (k$) estimated", PUBLIC[4]]
    with pytest.raises(MissingColumnError) as caught:
        resolve_header(names)
    assert caught.value.code == "MISSING_COLUMN"
    assert "No column found for annual_income_k_usd" in caught.value.message
    assert "Annual Income (k$) estimated" in caught.value.message
    assert "column_aliases: {annual_income_k_usd:" in caught.value.hint


def test_two_columns_for_one_field_are_not_chosen_between():
    with pytest.raises(AmbiguousColumnError, match="gender: Gender, Sex"):
        resolve_header([*PUBLIC, "Sex"])


def test_a_user_adds_names():
    names = [*PUBLIC[:3], "Ingreso anual", PUBLIC[4]]
    header = resolve_header(names, {"annual_income_k_usd": ["ingreso ANUAL"]})
    assert header.columns["annual_income_k_usd"] == "Ingreso anual"


@pytest.mark.parametrize("aliases", [{"salary": ["income"]}, {"age": ["income"]}])
def test_an_alias_for_nothing_or_for_two_fields_is_refused(aliases):
    with pytest.raises(SettingError, match="column_aliases"):
        resolve_header(PUBLIC, aliases)


def test_names_keep_letters_and_digits_of_any_script():
    assert normalised(" Größe_(1)\u00a0") == "grösse1"
