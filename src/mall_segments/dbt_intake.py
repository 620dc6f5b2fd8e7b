"""What the intake model calls: a table of customers in, their text rows out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mall_segments.duckdb_engine import text_rows
from mall_segments.intake.header import resolve_header
from mall_segments.settings import parse_aliases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyRelation


def raw_customers(source: DuckDBPyRelation, settings: Mapping[str, object]) -> DuckDBPyRelation:
    """Return the five fields of every row of a source as text, with its line number.

    Parameters
    ----------
    source : relation
        Any table of customers; the first row counts as line 2, after the header.
    settings : mapping
        `column_aliases`.

    Returns
    -------
    relation with `line_number`, one text column per field, and `raw_record`, the fields as JSON

    Raises
    ------
    SettingError, MissingColumnError, AmbiguousColumnError
    """
    aliases = parse_aliases(settings["column_aliases"])
    return text_rows(source, resolve_header(source.columns, aliases).columns)
