"""What the row rules say of a source: counts, reasons, and the figures that the gates look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from mall_segments.spark_engine import SparkEngine

LINES_SHOWN = 5
# Longer values of a column are no numbers, and may be personal.
LONGEST_EXAMPLE, MOST_LETTERS = 16, 3
SHOWN = ("customer_id", "age", "annual_income_k_usd", "spending_score")
WITHOUT_EXAMPLE = ("missing", "conflict")


@dataclass(frozen=True)
class Tally:
    """Counts over the rows of `stg_customers_parsed`.

    Attributes
    ----------
    rows_read, rows_accepted, rows_quarantined : int
    reasons : mapping of reason to quarantined rows that have it
    first_lines : mapping of reason to the first lines it was found on
    notes : mapping of note to accepted rows that have it
    genders_given, genders_unrecognised : int, over all rows
    unrecognised_examples : the most frequent of them
    median_income : median of every readable income in k$, None without any
    distinct_points : distinct (age, income, score) of the accepted rows
    distinct_values : distinct accepted values of income and score
    examples : mapping of reason to what was found in a row that has it
    """

    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    reasons: dict[str, int]
    first_lines: dict[str, list[int]]
    notes: dict[str, int]
    genders_given: int
    genders_unrecognised: int
    unrecognised_examples: list[str]
    median_income: float | None
    distinct_points: int
    distinct_values: dict[str, int]
    examples: dict[str, str]

    def described_reasons(self) -> str:
        """Return the reasons with their counts, lines and an example, most frequent first."""
        described = []
        for reason, count in self.reasons.items():
            lines = ", ".join(map(str, self.first_lines[reason]))
            found = f": {self.examples[reason]}" if reason in self.examples else ""
            described.append(f"{reason} {count} (lines {lines}{found})")
        return "; ".join(described)


# The reasons of rows, the rows that have each, and the first of these.
REASONS = {
    "duckdb": """
        select reason, count(*) as rows_found, min(line_number, {lines})
        from (
            select line_number, unnest(string_split(reasons, ', ')) as reason
            from {parsed}
            where reasons is not null
        )
        group by reason
        order by rows_found desc, reason
        """,
    "spark": """
        select reason, max(rows_of_reason) as rows_found, array_sort(collect_list(line_number))
        from (
            select
                reason,
                line_number,
                count(*) over (partition by reason) as rows_of_reason,
                row_number() over (partition by reason order by line_number) as place
            from (
                select line_number, explode(split(reasons, ', ')) as reason
                from {parsed}
                where reasons is not null
            )
        )
        where place <= {lines}
        group by reason
        order by rows_found desc, reason
        """,
}


def tally_rows(
    session: DuckDBPyConnection | SparkEngine,
    parsed: str,
    raw: str,
    engine: str = "duckdb",
    width: int | None = None,
) -> Tally:
    """Count what the row rules found.

    Parameters
    ----------
    session : DuckDB connection, or Spark behind the same method
    parsed : relation with the columns of `stg_customers_parsed`
    raw : relation with the columns of `raw_customers`
    engine : duckdb or spark
    width : fields of the header, if the source has records
    """
    ((read, accepted, quarantined, given, unrecognised, median),) = session.sql(
        f"""
        select
            count(*),
            count(*) filter (where reasons is null),
            count(*) filter (where reasons is not null),
            count(*) filter (where is_gender_given),
            count(*) filter (where gender_note = 'gender:not_recognised'),
            median(annual_income_k_usd)
        from {parsed}
        """
    ).fetchall()
    ((points, incomes, scores),) = session.sql(
        f"""
        select count(*), count(distinct annual_income_k_usd), count(distinct spending_score)
        from (
            select distinct age, annual_income_k_usd, spending_score
            from {parsed}
            where reasons is null
        )
        """
    ).fetchall()
    reasons = session.sql(REASONS[engine].format(parsed=parsed, lines=LINES_SHOWN)).fetchall()
    notes = session.sql(
        f"""
        select gender_note, count(*)
        from {parsed}
        where reasons is null and gender_note is not null
        group by gender_note
        order by gender_note
        """
    ).fetchall()
    examples = session.sql(
        f"""
        select gender, count(*) as times
        from {raw}
        where
            line_number
            in (select line_number from {parsed} where gender_note = 'gender:not_recognised')
        group by gender
        order by times desc, gender
        limit 3
        """
    ).fetchall()
    return Tally(
        rows_read=read,
        rows_accepted=accepted,
        rows_quarantined=quarantined,
        reasons={reason: count for reason, count, _ in reasons},
        first_lines={reason: lines for reason, _, lines in reasons},
        notes=dict(notes),
        genders_given=given,
        genders_unrecognised=unrecognised,
        unrecognised_examples=[gender for gender, _ in examples],
        median_income=median,
        distinct_points=points,
        distinct_values={"annual_income_k_usd": incomes, "spending_score": scores},
        examples=_examples(session, raw, {reason: lines[0] for reason, _, lines in reasons}, width),
    )


def _examples(
    session: DuckDBPyConnection | SparkEngine,
    raw: str,
    first_line: dict[str, int],
    width: int | None,
) -> dict[str, str]:
    """Return what was found on the first line of each reason, where it is short and no name."""
    if not first_line:
        return {}
    lines = ", ".join(map(str, first_line.values()))
    rows = session.sql(
        f"select line_number, fields_found, {', '.join(SHOWN)} from {raw}"
        f" where line_number in ({lines})"
    ).fetchall()
    by_line = {
        line: (fields, dict(zip(SHOWN, values, strict=True))) for line, fields, *values in rows
    }
    examples = {}
    for reason, line in first_line.items():
        field, _, kind = reason.partition(":")
        fields, values = by_line.get(line, (None, {}))
        if reason == "field_count" and width is not None:
            examples[reason] = f"line {line} has {fields} fields, the header {width}"
        elif kind not in WITHOUT_EXAMPLE and _may_be_shown(value := values.get(field) or ""):
            examples[reason] = f"such as {value!r}"
    return examples


def _may_be_shown(value: str) -> bool:
    """Whether a value is a number, however written, or a short code: no name and no address."""
    letters = sum(map(str.isalpha, value))
    return 0 < len(value) <= LONGEST_EXAMPLE and letters <= MOST_LETTERS and "@" not in value
