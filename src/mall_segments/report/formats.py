"""How figures and names read in the page; what is not there is a dash."""

from __future__ import annotations

# What is worth adding to the name of a feature on an axis.
UNITS = {
    "age": "years",
    "annual_income_k_usd": "k$",
    "spending_score": "1 to 100",
}


def feature_words(feature: str) -> str:
    """Return a feature as a sentence has it.

    Examples
    --------
    >>> feature_words("annual_income_k_usd")
    'annual income'
    """
    return feature.removesuffix("_k_usd").replace("_", " ")


def label(feature: str) -> str:
    """Return a feature as an axis has it, with its unit where one is known.

    Examples
    --------
    >>> label("annual_income_k_usd"), label("visits_per_month")
    ('Annual income (k$)', 'Visits per month')
    """
    unit = f" ({UNITS[feature]})" if feature in UNITS else ""
    return feature_words(feature).capitalize() + unit


def number(value: float | None, digits: int = 1) -> str:
    """Return a figure with thousands separated.

    Examples
    --------
    >>> number(1234.56), number(None)
    ('1,234.6', '-')
    """
    return "-" if value is None else f"{value:,.{digits}f}"


def count(value: int | None) -> str:
    """Return a whole number with thousands separated.

    Examples
    --------
    >>> count(1234567)
    '1,234,567'
    """
    return number(value, 0)


def share(value: float | None, digits: int = 1) -> str:
    """Return a share as a percentage.

    Examples
    --------
    >>> share(0.405), share(1, 0)
    ('40.5%', '100%')
    """
    return "-" if value is None else f"{value:.{digits}%}"


def words(name: str) -> str:
    """Return the name of a column or feature in words.

    Examples
    --------
    >>> words("annual_income_k_usd")
    'annual income (k$)'
    """
    return name.replace("_k_usd", " (k$)").replace("_", " ")


def plain(value: object) -> str:
    """Return a value of any type as a table shows it.

    Examples
    --------
    >>> [plain(value) for value in (None, True, 0.25, 3, "S1")]
    ['-', 'yes', '0.25', '3', 'S1']
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = f"{value:,.4f}".rstrip("0").rstrip(".")
        return f"{value:.3g}" if text in {"0", "-0"} and value else text
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
