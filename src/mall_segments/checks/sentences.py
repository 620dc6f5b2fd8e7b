"""What an expectation that is not met says: what is expected, what was found, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mall_segments.checks.checkpoint import KEYS, Finding

# Rows that a sentence names.
ROWS_SHOWN = 3
# What an expectation of Great Expectations is in words, by its type.
EXPECTED: Mapping[str, str] = {
    "column_values_to_be_between": "{column} {bounds} in {share}",
    "column_values_to_be_in_set": "{column} one of {value_set} in {share}",
    "column_values_to_match_regex": "{column} not blank in {share}",
    "column_values_to_not_be_null": "{column} not null in {share}",
    "column_mean_to_be_between": "a mean {column} {bounds}",
    "column_median_to_be_between": "a median {column} {bounds}",
    "column_stdev_to_be_between": "a standard deviation of {column} {bounds}",
    "table_row_count_to_be_between": "a number of rows {bounds}",
    "column_kl_divergence_to_be_less_than": (
        "{column} distributed as in the registered baseline, "
        "a divergence of at most {threshold} nats"
    ),
}
# What to do, by relation and column; for all columns of a relation where there is no column.
REMEDIES: Mapping[tuple[str, str], str] = {
    ("raw.raw_customers", ""): "Look at the source: is a column empty, or another one meant?",
    ("staging.stg_customers", ""): "Look at the customers: is a column another one, or its unit?",
    (
        "marts.customer_segments",
        "",
    ): "Look at marts.outlier_customers, or fit again: refit: true, or another k.",
    ("marts.segment_profiles", ""): "Choose another k, or k: auto.",
    ("marts.segment_profiles", "customer_share"): (
        "See marts.outlier_customers; correct or leave out what is wrong, choose another k, or "
        "lower min_segment_share."
    ),
    ("marts.segmentation_quality", ""): (
        "Choose another k or other features; marts.k_selection compares them."
    ),
}
DRIFT = "column_kl_divergence_to_be_less_than"
DRIFTED = "If other customers are meant, build again with --update-baseline."
NOUNS = {"segment_key": "segment", "customer_id": "customer", "line_number": "line"}


def sentence(finding: Finding) -> str:
    """Return a sentence on an expectation that is not met, with what was found and what to do."""
    return f"{finding.relation}: {described(finding)}, found {found(finding)}. {_remedy(finding)}"


def described(finding: Finding) -> str:
    """Return what is expected, in words."""
    share = finding.bounds.get("mostly", 1)
    return "expected " + EXPECTED[finding.expectation].format(
        column=finding.column,
        bounds=_range(finding.bounds),
        share="every row" if share == 1 else f"at least {share:.0%} of the rows",
        value_set=", ".join(map(str, finding.bounds.get("value_set") or ())),
        threshold=finding.bounds.get("threshold"),
    )


def found(finding: Finding) -> str:
    """Return what was found: a figure, or the rows that are otherwise."""
    if not finding.failing:
        return finding.observed
    noun = NOUNS.get(KEYS[finding.relation].rpartition(".")[2], "row")
    named = [f"{noun} {key} has {_value(value)}" for key, value in _worst(finding)[:ROWS_SHOWN]]
    more = len(finding.failing) - ROWS_SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    return (
        f"{len(finding.failing):,} of {finding.rows:,} rows that are not: {', '.join(named)}{rest}"
    )


def _worst(finding: Finding) -> Sequence[tuple[Any, Any]]:
    """Return the failing rows, the farthest from the bounds first."""
    low, high = finding.bounds.get("min_value"), finding.bounds.get("max_value")

    def beyond(row: tuple[Any, Any]) -> float:
        value = row[1]
        if not isinstance(value, int | float) or (low is None and high is None):
            return 0.0
        return max(low - value if low is not None else 0, value - high if high is not None else 0)

    return sorted(finding.failing, key=beyond, reverse=True)


def _range(bounds: Mapping[str, Any]) -> str:
    low, high = bounds.get("min_value"), bounds.get("max_value")
    if low is None:
        return f"at most {_value(high)}"
    if high is None:
        return f"at least {_value(low)}"
    return f"between {_value(low)} and {_value(high)}"


def _value(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def _remedy(finding: Finding) -> str:
    if finding.expectation == DRIFT:
        return DRIFTED
    place = finding.relation, finding.column
    return REMEDIES[place] if place in REMEDIES else REMEDIES[finding.relation, ""]
