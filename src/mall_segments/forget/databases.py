"""A DuckDB file written anew without the rows of customers.

To delete rows leaves their bytes in blocks that are free, as do the tables that builds replaced. So
what stays is copied to a new file, which never held anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mall_segments.errors import MallSegmentsError
from mall_segments.forget.named_rows import (
    Aliases,
    Layout,
    is_asked,
    note_unread_lines,
    tables_of,
)
from mall_segments.publish.database import PUBLISHED_STORAGE
from mall_segments.sql_text import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BEFORE, AFTER = "file_before", "file_after"
FOUND = "temp.found"


class NotForgottenError(MallSegmentsError):
    """A copy that does not hold what it should; the file itself is as it was."""

    exit_code = 1

    def __init__(self, path: Path, table: str) -> None:
        super().__init__(
            "NOT_FORGOTTEN",
            f"{path} could not be written anew: the copy differs in {table}.",
            "Nothing was replaced. Report it, with the definition of that table.",
        )


def write_without(session: DuckDBPyConnection, source: Path, copy: Path, aliases: Aliases) -> int:
    """Write a copy of a database without the rows about the customers asked for.

    Where there are such rows, tables of the values of customers without an id are left empty too.

    Parameters
    ----------
    session : DuckDB connection after `asked.ask`
    source : DuckDB file; it is opened read-only
    copy : file to write
    aliases : names that the project adds to those of the columns of a source

    Returns
    -------
    int
        Rows about the customers.

    Raises
    ------
    NotForgottenError
        If the copy is not the source less those rows.
    """
    with _attached(session, source, copy):
        session.execute(f"copy from database {BEFORE} to {AFTER} (schema)")
        tables = tables_of(session, BEFORE, aliases)
        note_unread_lines(session, BEFORE, tables)
        rows = sum(note_found(session, f"{BEFORE}.{table.path}", table) for table in tables)
        for table in tables:
            goes = "true" if rows and table.holds_points else table.is_about_them
            session.execute(
                f"insert into {AFTER}.{table.path} from {BEFORE}.{table.path} where not {goes}"
            )
            if _digest(session, f"{BEFORE}.{table.path}", f"not {goes}") != _digest(
                session, f"{AFTER}.{table.path}"
            ):
                raise NotForgottenError(source, f"{table.schema}.{table.name}")
        session.execute(f"checkpoint {AFTER}")
    return rows


def note_found(session: DuckDBPyConnection, relation: str, layout: Layout) -> int:
    """Add the customers who are in a relation to FOUND, and return how many rows are about them."""
    session.execute("create temp table if not exists found (key varchar)")
    if layout.is_about_them == "false":
        return 0
    rows = f"from {relation} where {layout.is_about_them}"
    for key in layout.keys:
        session.execute(f"insert into {FOUND} select distinct {key} {rows} and {is_asked(key)}")
    ((count,),) = session.execute(f"select count(*) {rows}").fetchall()
    return int(count)


def count_found(session: DuckDBPyConnection) -> int:
    """Return how many of the customers asked for were in any relation."""
    ((count,),) = session.execute(f"select count(distinct key) from {FOUND}").fetchall()
    return int(count)


@contextmanager
def _attached(session: DuckDBPyConnection, source: Path, copy: Path) -> Iterator[None]:
    attached = []
    try:
        for path, name, options in (
            (source, BEFORE, "read_only"),
            (copy, AFTER, f"storage_version '{PUBLISHED_STORAGE}'"),
        ):
            session.execute(f"attach {literal(str(path))} as {name} ({options})")
            attached.append(name)
        yield
    finally:
        for name in attached:
            session.execute(f"detach {name}")


def _digest(session: DuckDBPyConnection, relation: str, where: str = "true") -> list[tuple]:
    return session.execute(
        "select count(*), coalesce(bit_xor(hash(all_columns)), 0)"
        f" from {relation} as all_columns where {where}"
    ).fetchall()
