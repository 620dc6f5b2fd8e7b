"""Read a source of customers, judge its rows by the project's rules, and pass or refuse it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mall_segments.errors import InputRefusedError
from mall_segments.intake.dialect import sniff_dialect
from mall_segments.intake.file_bytes import PARQUET_MAGIC, Progress, read_prefix, scan_text
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

    Raises
    ------
    SettingError
        If a setting means nothing; everything about the file itself is in the result.
    """
    inspection = Inspection()
    try:
        _read_file(inspection, session, path, settings, progress)
        _judge(inspection, session, settings)
    except InputRefusedError as error:
        inspection.error = error
    return inspection


def inspect_relation(
    session: DuckDBPyConnection, source: DuckDBPyRelation, settings: Mapping[str, object]
) -> Inspection:
    """Inspect a relation of the warehouse; parameters and result are those of `inspect_file`."""
    inspection = Inspection()
    try:
        inspection.header = resolve_header(
            source.columns, parse_aliases(settings["column_aliases"])
        )
        inspection.rows = rows_of_relation(session, source, inspection.header)
        _judge(inspection, session, settings)
    except InputRefusedError as error:
        inspection.error = error
    return inspection


def _read_file(
    inspection: Inspection,
    session: DuckDBPyConnection,
    path: Path,
    settings: Mapping[str, object],
    progress: Progress | None,
) -> None:
    aliases = parse_aliases(settings["column_aliases"])
    prefix = read_prefix(path)
    if prefix.startswith(PARQUET_MAGIC):
        source = _parquet(session, path)
        inspection.header = resolve_header(source.columns, aliases)
        inspection.rows = rows_of_relation(session, source, inspection.header)
        return
    is_regular = scan_text(path, progress)
    dialect = sniff_dialect(prefix, aliases)
    inspection.header, inspection.preamble = dialect.header, dialect.preamble
    read = rows_of_regular_file if is_regular else rows_of_irregular_file
    inspection.rows = read(session, path, dialect)


def _parquet(session: DuckDBPyConnection, path: Path) -> DuckDBPyRelation:
    import duckdb

    try:
        return session.read_parquet(one_file(path))
    except duckdb.Error as error:
        raise InputRefusedError(
            "MALFORMED_PARQUET",
            f"The file starts like Parquet, but cannot be read: {str(error).splitlines()[0]}",
            "Export it again; the file is damaged.",
        ) from None


def _judge(
    inspection: Inspection, session: DuckDBPyConnection, settings: Mapping[str, object]
) -> None:
    gates = parse_gates(settings)
    variables = {"gender_map": parse_gender_map(settings["gender_map"])}
    sql = render_model("stg_customers_parsed", {"raw_customers": ROWS}, variables)
    session.execute(f"create or replace temp table {PARSED} as {sql}")
    inspection.tally = tally_rows(session, PARSED, ROWS)
    session.execute(f"drop table {PARSED}")
    check_gates(inspection.tally, gates)
