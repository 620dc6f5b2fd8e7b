"""The records of any source as text under the five fields, as a temporary view of the engine."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mall_segments.intake.dialect import WHITE_SPACE, Dialect, malformed_csv, strict_reader
from mall_segments.intake.header import FIELDS, Header
from mall_segments.sql_text import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

ROWS = "intake_rows"
PARSED = "intake_parsed"
REJECTS = "intake_rejects"
ERRORS = "intake_errors"
SCANS = "intake_scans"
LONGEST_LINE = 1 << 23
ALL_ROWS = (1 << 63) - 1
# No text holds this, so that an empty field differs from one that is not there.
NOT_THERE = "\x01no such field\x02"
WRONG_WIDTH = "field_count"


def rows_of_relation(
    session: DuckDBPyConnection, source: DuckDBPyRelation, header: Header, skipped: int = 0
) -> DuckDBPyRelation:
    """Take the rows of a table; the first counts as line 2, as if a header stood above it.

    Some at the beginning may be skipped; they are hardly looked at.
    """
    if skipped:
        source = source.limit(ALL_ROWS, skipped)
    text = [f"cast({identifier(header.columns[field])} as varchar) as {field}" for field in FIELDS]
    line = f"cast(row_number() over () + {skipped + 1} as bigint) as line_number"
    rows = source.project(f"{line}, {', '.join(text)}")
    query = f"select *, {_width(None)} from ({rows.sql_query()}) where not {_blank(FIELDS)}"
    return _show(session, query)


def rows_of_regular_file(
    session: DuckDBPyConnection, path: Path, dialect: Dialect
) -> DuckDBPyRelation:
    """Take the records of a text file as the engine's reader parses them.

    Parameters
    ----------
    session : DuckDB connection
    path : Path
        A file that `scan_text` found regular.
    dialect : Dialect

    Raises
    ------
    InputRefusedError
        MALFORMED_CSV, for a line beyond all measure.
    """
    width = len(dialect.names)
    columns = [f"column_{number}" for number in range(width + 1)]
    all_columns = ", ".join(columns)
    fits = f"column_{width - 1} is not null and column_{width} is null"
    fields = ", ".join(
        f"column_{position} as {field}"
        for field, position in zip(FIELDS, dialect.positions, strict=True)
    )
    _drop_errors(session)
    session.execute(
        f"""
        create or replace temp table {PARSED} as
        select
            row_number() over () as ordinal,
            {fields},
            case when {fits} then {width} else list_count([{all_columns}]) end as fields_found,
            {_blank(columns)} as is_blank
        from read_csv(
            {literal(one_file(path))},
            auto_detect = false,
            header = false,
            skip = {dialect.header_line},
            delim = {literal(dialect.delimiter)},
            quote = '"',
            escape = '"',
            nullstr = {literal(NOT_THERE)},
            null_padding = true,
            strict_mode = true,
            max_line_size = {LONGEST_LINE},
            buffer_size = {4 * LONGEST_LINE},
            columns = {{{", ".join(f"'{column}': 'varchar'" for column in columns)}}},
            store_rejects = true,
            rejects_table = '{ERRORS}',
            rejects_scan = '{SCANS}'
        )
        """
    )
    other_errors = session.sql(
        f"select min(line) from {ERRORS} where error_type <> 'TOO MANY COLUMNS'"
    ).fetchall()
    if other_errors != [(None,)]:
        raise malformed_csv(other_errors[0][0])
    session.execute(
        f"""
        create or replace temp table {REJECTS} as
        select
            line,
            max(column_idx) as fields_found,
            row_number() over (order by line) as rejects_before,
            line - {dialect.header_line} - row_number() over (order by line) as rows_before
        from {ERRORS}
        group by line
        """
    )
    _drop_errors(session)
    line = f"{PARSED}.ordinal + {dialect.header_line}"
    if not session.sql(f"from {REJECTS} limit 1").fetchall():
        return _show(session, _numbered(line, PARSED, width))
    shifted = f"""
        {PARSED}
        asof left join (
            select rows_before, max(rejects_before) as rejects_before
            from {REJECTS}
            group by rows_before
        ) as shifts on {PARSED}.ordinal > shifts.rows_before
    """
    nothing = ", ".join(f"null as {field}" for field in FIELDS)
    return _show(
        session,
        _numbered(f"{line} + coalesce(shifts.rejects_before, 0)", shifted, width)
        + f" union all select line, {nothing}, fields_found, '{WRONG_WIDTH}' from {REJECTS}",
    )


def rows_of_irregular_file(
    session: DuckDBPyConnection, path: Path, dialect: Dialect
) -> DuckDBPyRelation:
    """Take the records of a text file that only a strict reader, record by record, gets right.

    Raises
    ------
    InputRefusedError
        MALFORMED_CSV
    """
    width = len(dialect.names)
    with tempfile.TemporaryDirectory() as folder:
        rewritten = Path(folder) / "records.csv"
        with rewritten.open("w", encoding="utf-8", newline="") as file:
            try:
                writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
                writer.writerows(_records(path, dialect))
            except csv.Error as error:
                raise malformed_csv(int(str(error))) from None
        columns = {
            "line_number": "bigint",
            **dict.fromkeys(FIELDS, "varchar"),
            "fields_found": "integer",
        }
        session.execute(
            f"""
            create or replace temp table {PARSED} as
            select *, false as is_blank
            from read_csv(
                {literal(one_file(rewritten))},
                auto_detect = false,
                header = false,
                delim = ',',
                quote = '"',
                escape = '"',
                nullstr = {literal(NOT_THERE)},
                max_line_size = {LONGEST_LINE},
                buffer_size = {4 * LONGEST_LINE},
                columns = {{{", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())}}}
            )
            """
        )
    return _show(session, _numbered("line_number", PARSED, width))


def one_file(path: Path) -> str:
    """Return a path as a pattern that matches only itself: the engine expands patterns.

    >>> one_file(Path("a[1].csv"))
    'a[[]1].csv'
    """
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def _records(path: Path, dialect: Dialect) -> Iterator[Sequence[object]]:
    nothing = [NOT_THERE] * len(FIELDS)
    with path.open(encoding="utf-8-sig", newline="") as file:
        for first, last, record in strict_reader(file, dialect.delimiter):
            if last <= dialect.header_line or not any(field.strip() for field in record):
                continue
            fits = len(record) == len(dialect.names)
            fields = [record[position] for position in dialect.positions] if fits else nothing
            yield [first, *fields, len(record)]


def _blank(columns: Sequence[str]) -> str:
    """Return the condition that a record is blank, decided by one comparison for most records."""
    blank = f"coalesce(trim(concat({', '.join(columns)}), {literal(WHITE_SPACE)}), '') = ''"
    starts_visibly = f"{columns[0]} >= '!' and {columns[0]} < chr(127)"
    return f"case when {starts_visibly} then false else {blank} end"


def _drop_errors(session: DuckDBPyConnection) -> None:
    """Drop what the reader notes of records it cannot split: it holds whole records."""
    session.execute(f"drop table if exists temp.{ERRORS}")
    session.execute(f"drop table if exists temp.{SCANS}")


def _numbered(line: str, source: str, width: int) -> str:
    """Return the query for parsed records; those of another width keep none of their fields."""
    fields = ", ".join(
        f"case when {PARSED}.fields_found = {width} then {PARSED}.{field} end as {field}"
        for field in FIELDS
    )
    return f"""
        select cast({line} as bigint) as line_number, {fields}, {_width(width)}
        from {source}
        where not {PARSED}.is_blank
    """


def _width(expected: int | None) -> str:
    """Return the columns for the number of fields, and for the reason to refuse another one."""
    if expected is None:
        return "cast(null as integer) as fields_found, cast(null as varchar) as intake_reason"
    return (
        f"{PARSED}.fields_found, "
        f"case when {PARSED}.fields_found <> {expected} then '{WRONG_WIDTH}' end as intake_reason"
    )


def _show(session: DuckDBPyConnection, query: str) -> DuckDBPyRelation:
    session.execute(f"create or replace temp view {ROWS} as {query}")
    return session.table(ROWS)
