"""The customers that are asked for, and the key by which any spelling of an id is compared."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mall_segments.errors import MallSegmentsError
from mall_segments.intake.header import fields_named
from mall_segments.project_sql import render_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ID = "customer_id"
# Tables and the macro of a session; the ids are in no file, and in no statement that is logged.
ASKED = "temp.asked"
KEY = "customer_key"
DELIMITERS = ",;\t|"
# Whole numbers are one customer however they are spelled, as in staging; of other ids the text.
KEY_OF_TEXT = """
    {%- set text = missing_to_null("cleaned") -%}
    (
        select coalesce(cast(try_cast({{ whole_number("known") }} as bigint) as varchar), known)
        from (
            select {{ text }} as known
            from (select {{ clean_text("spelled") }} as cleaned)
        )
    )
"""


class NoIdsError(MallSegmentsError):
    """A request that names no customer, or names one by a word for a missing value."""

    def __init__(self, found: str) -> None:
        super().__init__(
            "NO_CUSTOMER_IDS",
            f"{found}.",
            "Give ids, or --from a file with one id a line or a column customer_id.",
        )


def ids_of_file(path: Path, aliases: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the ids in a text file: one a line, or the column of CSV that holds them.

    Parameters
    ----------
    path : file in UTF-8; - for standard input
    aliases : names that the project adds to those of the columns of a source

    Raises
    ------
    NoIdsError
        If it cannot be read, or has several columns and not one of them is called as the id is.
    """
    try:
        with click.open_file(str(path), encoding="utf-8-sig", errors="replace") as file:
            lines = [line for line in file if line.strip()]
        found = [sign for sign in DELIMITERS if lines and sign in lines[0]]
        records = list(csv.reader(lines, delimiter=found[0] if found else DELIMITERS[0]))
    except (OSError, csv.Error) as error:
        raise NoIdsError(f"The file {path} cannot be read: {error}") from None
    if not records:
        return []
    names = records[0]
    named = [place for place, name in enumerate(names) if fields_named([name], aliases) == {ID}]
    if len(named) > 1 or (not named and len(names) > 1):
        raise NoIdsError(
            f"The file has {len(names)} columns, of which {len(named)} are called customer_id"
        )
    column = named[0] if named else 0
    return [record[column] for record in records[len(named) :] if len(record) > column]


def ask(session: DuckDBPyConnection, ids: Sequence[str]) -> int:
    """Leave the keys of some ids in the table ASKED of a session, and return how many there are.

    Raises
    ------
    NoIdsError
        If there is no id, or one of them is blank or a word for a missing value, such as NA: that
        would be every row without an id.
    """
    key = render_sql(KEY_OF_TEXT, {}, {})
    session.execute(f"create or replace temp macro {KEY}(spelled) as {key}")
    session.execute(
        f"create or replace temp table asked as select distinct {KEY}(id) as key"
        " from (select unnest(?::varchar[]) as id)",
        [list(ids)],
    )
    ((asked, missing),) = session.execute(
        f"select count(key), count(*) filter (key is null) from {ASKED}"
    ).fetchall()
    if missing:
        raise NoIdsError("One of the ids is blank or a word for a missing value, such as NA")
    if not asked:
        raise NoIdsError("There is no id")
    return asked
