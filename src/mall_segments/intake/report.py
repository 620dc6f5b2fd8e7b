"""An inspection as a terminal table for people, or one object for programs."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mall_segments.errors import MOST_NAMES, MallSegmentsError
from mall_segments.intake.header import Header
from mall_segments.intake.source import Inspection
from mall_segments.intake.tally import Tally


def as_object(inspection: Inspection, error: MallSegmentsError | None) -> dict[str, object]:
    """Return an inspection as an object of plain JSON types.

    Parameters
    ----------
    inspection : Inspection
    error : MallSegmentsError or None
        Why the source is refused, None if it may be built from.
    """
    tally, header = inspection.tally, inspection.header
    return {
        "outcome": "refuse" if error else "build",
        "error": _error_object(error) if error else None,
        "rows_read": tally.rows_read if tally else 0,
        "rows_accepted": tally.rows_accepted if tally else 0,
        "rows_quarantined": tally.rows_quarantined if tally else 0,
        "reasons": tally.reasons if tally else {},
        "first_lines": tally.first_lines if tally else {},
        "notes": tally.notes if tally else {},
        "columns": dict(header.columns) if header else {},
        "ignored_columns": list(header.ignored) if header else [],
        "skipped_lines": list(inspection.preamble),
    }


def print_inspection(
    source: str, inspection: Inspection, error: MallSegmentsError | None, console: Console
) -> None:
    """Print what was found in a source and whether it may be built from."""
    console.print(source, style="bold", markup=False, highlight=False)
    if inspection.header:
        _print_header(inspection.header, inspection.preamble, console)
    if inspection.tally:
        _print_rows(inspection.tally, console)
    if error:
        console.print(f"[bold red]refuse[/bold red]  {error.code}", highlight=False)
        console.print(error.message, style="red", markup=False, highlight=False)
        console.print(error.hint, markup=False, highlight=False)
    elif inspection.tally:
        console.print(
            f"[bold green]build[/bold green]  {inspection.tally.rows_accepted:,} customers",
            highlight=False,
        )


def _print_header(header: Header, preamble: tuple[str, ...], console: Console) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Field")
    table.add_column("Column of the source")
    for field, column in header.columns.items():
        table.add_row(field, escape(repr(column)))
    console.print(table, highlight=False)
    if preamble:
        lines = " | ".join(preamble)
        console.print(f"Skipped above the header: {lines}", markup=False, highlight=False)
    if header.ignored:
        more = len(header.ignored) - MOST_NAMES
        columns = ", ".join(header.ignored[:MOST_NAMES]) + (
            f" and {more:,} more" if more > 0 else ""
        )
        console.print(f"Ignored, never stored: {columns}", markup=False, highlight=False)


def _print_rows(tally: Tally, console: Console) -> None:
    console.print(
        f"{tally.rows_read:,} rows read, {tally.rows_accepted:,} accepted, "
        f"{tally.rows_quarantined:,} quarantined",
        highlight=False,
    )
    if tally.reasons or tally.notes:
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("Reason or note")
        table.add_column("Rows", justify="right")
        table.add_column("First lines")
        for reason, count in tally.reasons.items():
            lines = ", ".join(map(str, tally.first_lines[reason]))
            table.add_row(reason, f"{count:,}", lines)
        for note, count in tally.notes.items():
            table.add_row(f"{note} (kept)", f"{count:,}", "")
        console.print(table, highlight=False)


def _error_object(error: MallSegmentsError) -> dict[str, object]:
    known = {name: getattr(error, name, None) for name in ("columns", "line")}
    described = {"code": error.code, "message": error.message, "hint": error.hint}
    return described | {name: value for name, value in known.items() if value is not None}
