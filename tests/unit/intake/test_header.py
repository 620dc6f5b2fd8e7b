import unicodedata

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


HINDI = {"customer_id": "ग्राहक", "gender": "लिंग", "age": "आयु", "annual_income_k_usd": "आय"}
SPANISH = {"customer_id": "Número", "gender": "Género", "spending_score": "Puntuación"}


def test_marks_belong_to_their_letters():
    aliases = {field: [name] for field, name in HINDI.items()}
    names = [*HINDI.values(), "Score"]
    assert resolve_header(names, aliases).columns["age"] == "आयु"
    # A column of incomes is no column of ages, though its name is all but a mark of theirs.
    del aliases["annual_income_k_usd"]
    names[2:4] = ["आय", "Income"]
    with pytest.raises(MissingColumnError, match=r"found for age\."):
        resolve_header(names, aliases)


def test_composed_and_decomposed_names_are_one():
    aliases = {field: [name] for field, name in SPANISH.items()}
    names = [unicodedata.normalize("NFD", name) for name in SPANISH.values()]
    found = resolve_header([*names, "Age", "Income"], aliases)
    assert found.columns["spending_score"] == names[2]


@pytest.mark.parametrize("sign", ["#", "%", "", " § "])
def test_a_name_without_letters_is_compared_as_it_stands(sign):
    names = [sign, "Gender", "Age", "Income", "Score"]
    assert resolve_header(names, {"customer_id": [sign]}).columns["customer_id"] == sign
    with pytest.raises(MissingColumnError):
        resolve_header(names, {"customer_id": ["@"]})


def test_the_numero_sign_is_no_other_sign():
    names = ["№", "Gender", "Age", "Income", "Score", "%"]
    assert resolve_header(names, {"customer_id": ["№"]}).columns["customer_id"] == "№"
    with pytest.raises(MissingColumnError):
        resolve_header(["%", *names[1:5]], {"customer_id": ["№"]})


def test_twins_are_told_apart_by_their_code_points():
    names = ["id", "Gender", "\u0410ge", "Income", "Score"]
    with pytest.raises(MissingColumnError, match=r"'\u0410ge' \(U\+0410 U\+0067 U\+0065\)"):
        resolve_header(names)
    twins = ["Número", unicodedata.normalize("NFD", "Número")]
    with pytest.raises(AmbiguousColumnError, match=r"U\+00FA .* U\+0075 U\+0301"):
        resolve_header([*twins, *names[1:2], "Age", *names[3:]], {"customer_id": ["Número"]})
