"""The gates: what a source of customers as a whole must be like to be built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from mall_segments.errors import InputRefusedError, SettingError
from mall_segments.intake.hints import what_to_do
from mall_segments.intake.tally import Tally

# Incomes above it are out of range, whatever the gates.
LARGEST_INCOME = 1_000


@dataclass(frozen=True)
class Gates:
    """Limits of a source; a user may change each knowingly.

    Shares are between 0 and 1, incomes in thousands of US dollars.
    """

    min_median_income_k_usd: float = 5
    max_median_income_k_usd: float = 500
    max_unrecognised_gender_share: float = 0.25
    max_rejected_share: float = 0.25
    min_customers: int = 50
    min_distinct_points: int = 10


def parse_gates(settings: Mapping[str, object]) -> Gates:
    """Return the gates that the settings of the same names give.

    Raises
    ------
    SettingError
        If one is not a number of zero or more.
    """
    values: dict[str, Any] = {}
    for field in fields(Gates):
        value = settings.get(field.name, field.default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise SettingError(field.name, value, "a number of 0 or more")
        values[field.name] = value
    return Gates(**values)


def check_gates(tally: Tally, gates: Gates, *, is_part: bool = False) -> None:
    """Refuse a source that does not pass every gate, in the order of the policy.

    A part of a source may be small: fewer rows than `min_customers` are not judged as a whole, and
    more are not asked how far they differ.

    Raises
    ------
    InputRefusedError
        NO_ROWS, UNIT_SUSPECT, UNRECOGNISED_VALUES, TOO_MANY_REJECTS, TOO_FEW_ROWS or DEGENERATE.
    """
    if is_part and tally.rows_read < gates.min_customers:
        return
    if tally.rows_read == 0:
        raise InputRefusedError(
            "NO_ROWS",
            "There is a header, but no row under it.",
            "Name a source that holds customers.",
        )
    low, high = gates.min_median_income_k_usd, gates.max_median_income_k_usd
    if tally.median_income is not None and not low <= tally.median_income <= high:
        raise InputRefusedError(
            "UNIT_SUSPECT",
            f"The median annual income is {tally.median_income:,.10g}, "
            f"expected {low:g} to {high:g} thousand US dollars.",
            _right_unit(tally.median_income),
            columns=["annual_income_k_usd"],
        )
    unrecognised = tally.genders_unrecognised / max(tally.genders_given, 1)
    if unrecognised > gates.max_unrecognised_gender_share:
        raise InputRefusedError(
            "UNRECOGNISED_VALUES",
            f"{tally.genders_unrecognised} of {tally.genders_given} genders are not recognised, "
            f"such as {', '.join(map(repr, tally.unrecognised_examples))}.",
            "Say what they mean: gender_map: {'1': Female, '2': Male}, "
            "or --gender-map '1=Female,2=Male'.",
            columns=["gender"],
        )
    if tally.rows_quarantined / tally.rows_read > gates.max_rejected_share:
        raise InputRefusedError(
            "TOO_MANY_REJECTS",
            f"{tally.rows_quarantined} of {tally.rows_read} rows cannot be customers, more than "
            f"{gates.max_rejected_share:.0%}: {tally.described_reasons()}.",
            what_to_do(
                list(tally.reasons), tally.examples, tally.rows_quarantined / tally.rows_read
            ),
            line=min(lines[0] for lines in tally.first_lines.values()),
        )
    if is_part:
        return
    if tally.rows_accepted < gates.min_customers:
        raise InputRefusedError(
            "TOO_FEW_ROWS",
            f"{tally.rows_accepted} customers are left, expected at least {gates.min_customers}.",
            "Add customers, or lower min_customers.",
        )
    constant = [name for name, distinct in tally.distinct_values.items() if distinct < 2]
    if tally.distinct_points < gates.min_distinct_points or constant:
        same = f" and {' and '.join(constant)} never varies" if constant else ""
        raise InputRefusedError(
            "DEGENERATE",
            f"The customers stand on {tally.distinct_points} distinct points of age, income and "
            f"score (expected at least {gates.min_distinct_points}){same}.",
            "Name a source whose customers differ; segments of equal customers mean nothing.",
            columns=constant or None,
        )


def _right_unit(median: float) -> str:
    """Return what to do with incomes whose unit looks wrong."""
    if median > LARGEST_INCOME:
        return "Divide an income in dollars by 1000: the column is in thousands of US dollars."
    return (
        "Give the income of a year in thousands of US dollars; if that is what it is, change "
        "min_median_income_k_usd or max_median_income_k_usd."
    )
