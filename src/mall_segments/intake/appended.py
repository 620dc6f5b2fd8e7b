"""What a source has got new since the last build, where it only ever gets rows at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mall_segments.errors import NotAppendedError
from mall_segments.intake.header import FIELDS
from mall_segments.intake.text_rows import ROWS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

NEW_ROWS = "intake_new_rows"


@dataclass(frozen=True)
class LastRow:
    """The last row of the source that was taken: its line, and its five fields as text."""

    line_number: int
    fields: tuple[str | None, ...]

    @classmethod
    def of(cls, previous: DuckDBPyRelation) -> LastRow | None:
        """Return the last row of a relation with the columns of `raw_customers`, None if empty."""
        ((line,),) = previous.aggregate("max(line_number)").fetchall()
        if line is None:
            return None
        (fields,) = _fields(previous, line)
        return cls(line, fields)

    @property
    def rows_before(self) -> int:
        """Rows of a table that come before this one; its first counts as line 2."""
        return self.line_number - 2


def rows_after(
    session: DuckDBPyConnection, rows: DuckDBPyRelation, last: LastRow
) -> DuckDBPyRelation:
    """Return the rows after the last one, as the view NEW_ROWS.

    Parameters
    ----------
    session : DuckDB connection with the view ROWS
    rows : relation of ROWS, from the last row at the latest
    last : LastRow

    Raises
    ------
    NotAppendedError
        If the row at that line is another one, or gone.
    """
    found = _fields(rows, last.line_number)
    if found != [last.fields]:
        raise NotAppendedError(
            f"Line {last.line_number} of the source is {found[0] if found else 'not there'}, "
            f"expected {last.fields} as at the last build."
        )
    session.execute(
        f"create or replace temp view {NEW_ROWS} as "
        f"select * from {ROWS} where line_number > {last.line_number}"
    )
    return session.table(NEW_ROWS)


def _fields(rows: DuckDBPyRelation, line: int) -> list[tuple[str | None, ...]]:
    return rows.filter(f"line_number = {line}").project(", ".join(FIELDS)).fetchall()
