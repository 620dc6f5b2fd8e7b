"""The files of earlier exports written anew without the rows of customers."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mall_segments.forget.databases import note_found
from mall_segments.forget.named_rows import Aliases, Layout, id_columns, record_columns
from mall_segments.intake.text_rows import one_file
from mall_segments.publish.durable import remove_folder, replace_file, sync_file, write_text
from mall_segments.publish.export import CONTENTS, FORMATS, PARTIAL
from mall_segments.sql_text import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# As `export` writes it: a text that is empty is quoted, a null is not.
READERS = {
    "parquet": "read_parquet({})",
    "csv": (
        "read_csv({}, header = true, delim = ',', quote = '\"', escape = '\"', all_varchar = true,"
        " allow_quoted_nulls = false)"
    ),
}
ROWS = "export_rows"


def forget_in_exports(session: DuckDBPyConnection, folder: Path, aliases: Aliases) -> int:
    """Remove the customers asked for from every export under a folder.

    Each file is replaced in one step, then the `contents.json` beside it. An export that is being
    written, or was killed, began before: it is removed.

    Parameters
    ----------
    session : DuckDB connection after `asked.ask`
    folder : as `mall-segments export --to` takes it
    aliases : names that the project adds to those of the columns of a source

    Returns
    -------
    int
        Rows that were removed.
    """
    rows = 0
    for file_format in FORMATS:
        for partial in (folder / file_format).glob(f"{PARTIAL}*"):
            partial.unlink() if partial.is_symlink() else remove_folder(partial)
        for contents in sorted((folder / file_format).glob(f"*/{CONTENTS}")):
            if not contents.parent.is_symlink():
                rows += _forget_in_export(session, contents, file_format, aliases)
    return rows


def _forget_in_export(
    session: DuckDBPyConnection, contents: Path, file_format: str, aliases: Aliases
) -> int:
    described = json.loads(contents.read_text(encoding="utf-8"))
    before = json.dumps(described)
    removed = 0
    for entry in described["marts"].values():
        path = contents.with_name(entry["file"])
        session.execute(
            f"create or replace temp view {ROWS} as"
            f" from {READERS[file_format].format(literal(one_file(path)))}"
        )
        rows = _rewrite(session, path, file_format, aliases)
        removed += rows
        _describe(session, path, entry)
    if json.dumps(described) != before:
        write_text(contents, json.dumps(described, indent=2) + "\n")
    return removed


def _rewrite(session: DuckDBPyConnection, path: Path, file_format: str, aliases: Aliases) -> int:
    """Replace a file by one without the customers, if they are in it, and return their rows."""
    described = session.execute(f"describe {ROWS}").fetchall()
    types = {name: kind for name, kind, *_ in described}
    layout = Layout(types, id_columns(list(types), aliases), record_columns(session, ROWS, types))
    rows = note_found(session, ROWS, layout)
    if rows:
        with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=path.parents[1]) as aside:
            new = Path(aside) / path.name
            session.execute(
                f"copy (from {ROWS} where not {layout.is_about_them}) to {literal(str(new))}"
                f" ({FORMATS[file_format]})"
            )
            sync_file(new)
            replace_file(new, path)
    return rows


def _describe(session: DuckDBPyConnection, path: Path, entry: dict[str, Any]) -> None:
    """Bring the entry of a file up to date, also where a killed run has replaced it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != entry["sha256"]:
        ((entry["rows"],),) = session.execute(f"select count(*) from {ROWS}").fetchall()
        entry["sha256"] = digest
