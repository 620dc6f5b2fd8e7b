"""Which column of a table holds which field of a customer."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mall_segments.errors import AmbiguousColumnError, MissingColumnError, SettingError
from mall_segments.intake.hints import code_points

ALIASES: dict[str, tuple[str, ...]] = {
    "customer_id": ("customerid", "custid", "clientid", "id", "uid", "customer"),
    "gender": ("gender", "genre", "sex"),
    "age": ("age", "ageyears"),
    "annual_income_k_usd": (
        "annualincomek",
        "annualincome",
        "annualincomethousands",
        "incomek",
        "income",
    ),
    "spending_score": ("spendingscore1100", "spendingscore", "spendingscore100", "score"),
}
FIELDS = tuple(ALIASES)
# Letters, the marks that belong to them, and numbers: first letters of Unicode categories.
KEPT = frozenset("LMN")
# Letters of other scripts that look like Latin ones.
OTHER_SCRIPTS, LATIN = "аеорсухіјѕкмтвнгьԁԛԝαβγεηικμνορτυχω", "aeopcyxijskmtbhrbdqwabyenikuvoptuxw"
LOOKALIKES = str.maketrans(OTHER_SCRIPTS + OTHER_SCRIPTS.upper(), LATIN + LATIN.upper())


@dataclass(frozen=True)
class Header:
    """The column of each field, and the columns that are left out.

    Attributes
    ----------
    columns : mapping of field to the name of its column, as the source spells it
    ignored : names of the other columns, in the order of the source
    """

    columns: Mapping[str, str]
    ignored: tuple[str, ...]


def resolve_header(
    names: Sequence[str], aliases: Mapping[str, Sequence[str]] | None = None
) -> Header:
    """Match the columns of a source to the five fields of a customer.

    Parameters
    ----------
    names : sequence of str
        Column names as the source spells them.
    aliases : mapping of field to names, optional
        Names that a user adds to the table of aliases.

    Raises
    ------
    MissingColumnError
        If a field has no column.
    AmbiguousColumnError
        If a field has several.
    SettingError
        If an alias is given for an unknown field, or one alias for two fields.

    Examples
    --------
    >>> resolve_header(["ID", "Genre", "Age", "Annual Income (k$)", "Score"]).columns["gender"]
    'Genre'
    """
    field_of = _field_of_alias(aliases or {})
    found: dict[str, list[str]] = {field: [] for field in FIELDS}
    ignored = []
    for name in names:
        field = field_of.get(normalised(name))
        if field is None:
            ignored.append(name)
        else:
            found[field].append(name)
    for field, columns in found.items():
        if len(columns) > 1:
            look_the_same = len({_look(name.strip()) for name in columns}) < len(columns)
            described = [code_points(name) for name in columns] if look_the_same else None
            raise AmbiguousColumnError(field, columns, described)
    missing = [field for field, columns in found.items() if not columns]
    if missing:
        raise MissingColumnError(missing, list(names), twins(missing, names, aliases or {}))
    return Header({field: columns[0] for field, columns in found.items()}, tuple(ignored))


def twins(
    missing: Sequence[str], names: Sequence[str], aliases: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return the names that look like one of a missing field, each with its code points."""
    looks = {
        _look(alias): alias for alias, field in _field_of_alias(aliases).items() if field in missing
    }
    seen = [(name, _look(normalised(name))) for name in names]
    alike = [(name, looks[look]) for name, look in seen if look in looks]
    return [f"{code_points(name)} and {code_points(alias)}" for name, alias in alike]


def fields_named(names: Sequence[str], aliases: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the fields that some column names."""
    field_of = _field_of_alias(aliases)
    return {field_of[normalised(name)] for name in names if normalised(name) in field_of}


def normalised(name: str) -> str:
    """Return a name case-folded, with letters, their marks and digits only, in the form NFKC.

    A name without any is returned as it stands.

    >>> normalised(" Annual Income (k$)"), normalised(" # ")
    ('annualincomek', '#')
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    kept = "".join(letter for letter in folded if unicodedata.category(letter)[0] in KEPT)
    return kept or name.strip()


def _look(name: str) -> str:
    """Return a name as it looks: without marks, lookalikes of Latin letters as these."""
    letters = unicodedata.normalize("NFKD", name)
    plain = "".join(one for one in letters if not unicodedata.category(one).startswith("M"))
    return plain.translate(LOOKALIKES)


def _field_of_alias(added: Mapping[str, Sequence[str]]) -> dict[str, str]:
    field_of = {alias: field for field, aliases in ALIASES.items() for alias in aliases}
    field_of |= {normalised(field): field for field in FIELDS}
    for field, names in added.items():
        if field not in ALIASES:
            raise SettingError("column_aliases", field, f"fields out of {list(FIELDS)}")
        for name in names:
            owner = field_of.setdefault(normalised(name), field)
            if owner != field:
                raise SettingError(
                    "column_aliases", name, f"a name that does not already stand for {owner}"
                )
    return field_of
