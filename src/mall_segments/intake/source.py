"""Read a source of customers, judge its rows by the project's rules, and pass or refuse it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from mall_segments.errors import InputRefusedError
from mall_segments.intake.appended import NEW_ROWS, LastRow, rows_after
from mall_segments.intake.dialect import sniff_dialect
from mall_segments.intake.file_bytes import (
    PARQUET_MAGIC,
    Layout,
    Progress,
    read_prefix,
    scan_text,
    with_line_feeds,
)
from mall_segments.intake.gates import check_gates, parse_gates
from mall_segments.intake.header import Header, resolve_header
from mall_segments.intake.tally import Tally, tally_rows
from mall_segments.intake.text_rows import (
    ROWS,
    one_file,
    rows_of_irregular_file,
    rows_of_regular_file,
    rows_of_relation,
)
from mall_segments.project_sql import render_model
from mall_segments.settings import parse_aliases, parse_gender_map

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

PARSED = "intake_parsed_customers"
NESTED = frozenset({"struct", "list", "array", "map", "union"})
# A text file of more columns is read record by record.
WIDEST = 2_000
# What the engine raises for reasons that are not in the file.
OWN_FAULTS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.InternalException,
    duckdb.InterruptException,
    duckdb.ParserException,
)


@dataclass
class Inspection:
    """All that is known of a source, as far as reading it came.

    Attributes
    ----------
    header : Header, None where none was found
    preamble : records above the header
    tally : Tally, None where no rows were read
    rows : relation with the columns of `raw_customers`, None where no rows were read
    error : why the source is refused, None if it may be built from
    """

    header: Header | None = None
    preamble: tuple[str, ...] = ()
    tally: Tally | None = None
    rows: DuckDBPyRelation | None = None
    error: InputRefusedError | None = None


def inspect_file(
    session: DuckDBPyConnection,
    path: Path,
    settings: Mapping[str, object],
    progress: Progress | None = None,
    last: LastRow | None = None,
) -> Inspection:
    """Inspect a text or Parquet file.

    Parameters
    ----------
    session : DuckDB connection, for temporary tables
    path : Path
    settings : mapping
        `column_aliases`, `gender_map` and the gates.
    progress : callable, optional
        Told the number of bytes after each portion that is read.
    last : LastRow, optional
        Only rows after it are taken and judged; it must be in the file.

    Raises
    ------
    SettingError
        If a setting means nothing; everything about the file itself is in the result.
    NotAppendedError
        If the last row is not where it was.
    """
    inspection = Inspection()
    kind = "CSV"
    try:
        prefix = read_prefix(path)
        kind = "PARQUET" if prefix.startswith(PARQUET_MAGIC) else kind
        with tempfile.TemporaryDirectory() as folder:
            if kind == "PARQUET":
                _read_parquet(inspection, session, path, settings, last)
            else:
                _read_text(inspection, session, path, prefix, Path(folder), settings, progress)
            _judge(inspection, session, settings, last)
    except InputRefusedError as error:
        inspection.error = error
    except OWN_FAULTS:
        raise
    except duckdb.OutOfMemoryException as error:
        inspection.error = out_of_memory(error)
    except duckdb.IOException as error:
        inspection.error = InputRefusedError(
            "FILE_NOT_READABLE",
            f"Reading stopped: {str(error).splitlines()[0]}",
            "Check the file, and the space left on the disk.",
        )
    except duckdb.Error as error:
        inspection.error = InputRefusedError(
            f"MALFORMED_{kind}",
            f"The file cannot be read: {str(error).splitlines()[0]}",
            "Export it again; the file is damaged.",
        )
    return inspection


def inspect_relation(
    session: DuckDBPyConnection,
    source: DuckDBPyRelation,
    settings: Mapping[str, object],
    last: LastRow | None = None,
) -> Inspection:
    """Inspect a relation of the warehouse; parameters and result are those of `inspect_file`."""
    inspection = Inspection()
    try:
        aliases = parse_aliases(settings["column_aliases"])
        _read_relation(inspection, session, source, aliases, last)
        _judge(inspection, session, settings, last)
    except InputRefusedError as error:
        inspection.error = error
    except duckdb.OutOfMemoryException as error:
        inspection.error = out_of_memory(error)
    return inspection


def out_of_memory(error: Exception) -> InputRefusedError:
    """Return the refusal of a source that the engine has not enough memory for."""
    return InputRefusedError(
        "OUT_OF_MEMORY",
        f"Reading needs more memory than there is: {str(error).splitlines()[0]}",
        "Raise MALL_SEGMENTS_MEMORY_LIMIT, or name a file with fewer columns or shorter lines.",
    )


def _read_text(
    inspection: Inspection,
    session: DuckDBPyConnection,
    path: Path,
    prefix: bytes,
    folder: Path,
    settings: Mapping[str, object],
    progress: Progress | None,
) -> None:
    layout = scan_text(path, progress)
    if layout is Layout.MIXED_LINE_ENDS:
        path = with_line_feeds(path, folder)
        layout = scan_text(path)
    dialect = sniff_dialect(prefix, parse_aliases(settings["column_aliases"]))
    inspection.header, inspection.preamble = dialect.header, dialect.preamble
    # The engine makes a column of every field, and holds some of each.
    is_regular = layout is Layout.REGULAR and len(dialect.names) <= WIDEST
    read = rows_of_regular_file if is_regular else rows_of_irregular_file
    inspection.rows = read(session, path, dialect)


def _read_parquet(
    inspection: Inspection,
    session: DuckDBPyConnection,
    path: Path,
    settings: Mapping[str, object],
    last: LastRow | None,
) -> None:
    aliases = parse_aliases(settings["column_aliases"])
    schema = session.execute(
        "select name, coalesce(num_children, 0) from parquet_schema(?)", [one_file(path)]
    )
    # The engine would tell twins apart by another name.
    resolve_header(_columns_of(schema.fetchall()), aliases)
    source = session.read_parquet(one_file(path))
    _read_relation(inspection, session, source, aliases, last)


def _columns_of(schema: Sequence[tuple[str, int]]) -> list[str]:
    """Return the columns of a table from its elements, depth first, each with its children."""
    (_, columns), *elements = schema
    names, place = [], 0
    for _ in range(columns):
        name, inside = elements[place]
        names.append(name)
        place += 1
        while inside:
            inside += elements[place][1] - 1
            place += 1
    return names


def _read_relation(
    inspection: Inspection,
    session: DuckDBPyConnection,
    source: DuckDBPyRelation,
    aliases: Mapping[str, Sequence[str]],
    last: LastRow | None,
) -> None:
    inspection.header = resolve_header(source.columns, aliases)
    kinds = dict(zip(source.columns, source.types, strict=True))
    for field, column in inspection.header.columns.items():
        if kinds[column].id in NESTED:
            raise InputRefusedError(
                "NESTED_COLUMN",
                f"The column {column} holds {kinds[column].id}s, expected one {field} a row.",
                "Name a table that has the values in columns of their own.",
                columns=[field],
            )
    skipped = last.rows_before if last else 0
    inspection.rows = rows_of_relation(session, source, inspection.header, skipped)


def _judge(
    inspection: Inspection,
    session: DuckDBPyConnection,
    settings: Mapping[str, object],
    last: LastRow | None,
) -> None:
    gates, rows = parse_gates(settings), ROWS
    if last and inspection.rows is not None:
        inspection.rows, rows = rows_after(session, inspection.rows, last), NEW_ROWS
    variables = {"gender_map": parse_gender_map(settings["gender_map"])}
    sql = render_model("stg_customers_parsed", {"raw_customers": rows}, variables)
    session.execute(f"create or replace temp table {PARSED} as {sql}")
    header = inspection.header
    width = len(header.columns) + len(header.ignored) if header else None
    inspection.tally = tally_rows(session, PARSED, rows, width=width)
    session.execute(f"drop table {PARSED}")
    check_gates(inspection.tally, gates, is_part=last is not None)
