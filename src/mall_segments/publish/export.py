"""Marts as a folder of Parquet or CSV files, for tools that cannot open DuckDB."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mall_segments.errors import MallSegmentsError, NotBuiltError
from mall_segments.outputs import NotOursError
from mall_segments.publish.database import MARTS, build_in, lock_errors, mart_columns
from mall_segments.publish.durable import ABANDONED_SECONDS, remove_folder, sync_file, sync_folder
from mall_segments.sql_text import identifier, literal

FORMATS = {"parquet": "format parquet, compression zstd", "csv": "format csv, header"}
POINTER = "current"
PARTIAL = ".partial-"
CONTENTS = "contents.json"
KEPT_EXPORTS = 5
# What a spreadsheet would run as a formula (OWASP, CSV injection).
FORMULA = "^[=+@\\t\\r-]"


class NotALinkError(MallSegmentsError):
    """A folder or file in the place of the link to the newest export."""

    def __init__(self, pointer: Path) -> None:
        kind = "folder" if pointer.is_dir() else "file"
        super().__init__(
            "NOT_A_LINK",
            f"{pointer} is a {kind}, expected a link to the newest export. A copy that follows "
            "links makes a folder of one.",
            "Move it away, and export again; nothing was written.",
        )


@dataclass(frozen=True)
class Export:
    """A folder with the marts of one build.

    Attributes
    ----------
    folder : the folder of this build
    pointer : link to the newest folder
    rows : rows of each mart
    escaped_values : texts of a CSV export that got a quote in front, as they look like a formula
    """

    build_id: str
    folder: Path
    pointer: Path
    rows: dict[str, int]
    escaped_values: int


def export_marts(published: Path, folder: Path, file_format: str) -> Export:
    """Write the marts of the published file, and point to them when all are complete.

    `folder/<build id>` holds one file per mart and `contents.json` with rows, columns and SHA-256;
    `folder/current` is a link to it, replaced in one step.

    Parameters
    ----------
    published : published DuckDB file
    folder : where the exports of this format are
    file_format : a key of FORMATS

    Raises
    ------
    NotBuiltError
        If there is no published build.
    NotOursError, NotALinkError
        If what is not ours is in the place of the export or of the link.
    InUseError
    """
    try:
        with lock_errors(published):
            connection = duckdb.connect(str(published), read_only=True)
    except duckdb.Error:
        raise NotBuiltError(f"There is no published build in {published}.") from None
    with connection:
        build_id = build_in(connection)
        complete = folder / build_id
        _require_ours(folder, complete)
        if not complete.exists():
            folder.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=folder))
            try:
                _write(connection, partial, file_format, build_id)
                partial.chmod(0o755)
                _take_name(partial, complete)
            except BaseException:
                remove_folder(partial)
                raise
            sync_folder(folder)
    pointer = folder / POINTER
    _point(pointer, build_id)
    _prune(folder, complete)
    contents = json.loads((complete / CONTENTS).read_text(encoding="utf-8"))
    rows = {mart: entry["rows"] for mart, entry in contents["marts"].items()}
    return Export(build_id, complete, pointer, rows, contents["escaped_values"])


def _require_ours(folder: Path, complete: Path) -> None:
    """Refuse a folder in which others hold the names that an export needs."""
    for path in (*reversed(folder.parents), folder):
        if path.exists() and not path.is_dir():
            raise NotOursError(path)
    if complete.exists() and not _is_export(complete):
        raise NotOursError(complete)
    pointer = folder / POINTER
    if pointer.is_symlink():
        target = pointer.readlink()
        if len(target.parts) > 1 or (pointer.exists() and not _is_export(pointer.resolve())):
            raise NotOursError(pointer)
    elif pointer.exists():
        raise NotALinkError(pointer)


def _is_export(folder: Path) -> bool:
    try:
        contents = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
        return contents["build_id"] == folder.name
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _write(
    connection: duckdb.DuckDBPyConnection, folder: Path, file_format: str, build_id: str
) -> None:
    marts = {}
    escaped_values = 0
    for mart, columns in mart_columns(connection).items():
        relation = connection.table(f"{MARTS}.{identifier(mart)}")
        if file_format == "csv":
            escaped_values += _count_formulas(relation)
            relation = _without_formulas(relation)
        path = folder / f"{mart}.{file_format}"
        connection.execute(
            f"copy ({relation.sql_query()}) to {literal(str(path))} ({FORMATS[file_format]})"
        )
        sync_file(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        marts[mart] = {
            "file": path.name,
            "rows": len(relation),
            "columns": columns,
            "sha256": digest,
        }
    contents = {"build_id": build_id, "escaped_values": escaped_values, "marts": marts}
    (folder / CONTENTS).write_text(json.dumps(contents, indent=2) + "\n", encoding="utf-8")
    sync_file(folder / CONTENTS)
    sync_folder(folder)


def _texts(relation: duckdb.DuckDBPyRelation) -> list[str]:
    return [
        name
        for name, kind in zip(relation.columns, relation.types, strict=True)
        if str(kind) == "VARCHAR"
    ]


def _count_formulas(relation: duckdb.DuckDBPyRelation) -> int:
    counts = [
        f"count(*) filter (regexp_matches({identifier(name)}, {literal(FORMULA)}))"
        for name in _texts(relation)
    ]
    return relation.aggregate(" + ".join(counts)).fetchall()[0][0] if counts else 0


def _without_formulas(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    texts = _texts(relation)
    columns = [
        f"case when regexp_matches({name}, {literal(FORMULA)}) then concat('''', {name})"
        f" else {name} end as {name}"
        if plain in texts
        else name
        for plain, name in ((column, identifier(column)) for column in relation.columns)
    ]
    return relation.project(", ".join(columns))


def _take_name(partial: Path, complete: Path) -> None:
    """Give a complete export its name, unless another export of the same build was faster."""
    try:
        partial.rename(complete)
    except OSError:
        if not (complete / CONTENTS).exists():
            raise
        remove_folder(partial)


def _point(pointer: Path, build_id: str) -> None:
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=pointer.parent) as aside:
        link = Path(aside) / POINTER
        link.symlink_to(build_id, target_is_directory=True)
        link.replace(pointer)
    sync_folder(pointer.parent)


def _prune(folder: Path, newest: Path) -> None:
    """Remove all but the newest exports, never the last one, and what killed exports left."""
    newest.touch()
    for partial in folder.glob(f"{PARTIAL}*"):
        # Links of this name are of an earlier version, which left one whenever it failed.
        if partial.is_symlink():
            partial.unlink()
        elif time.time() - partial.stat().st_mtime > ABANDONED_SECONDS:
            remove_folder(partial)
    exports = [path for path in folder.iterdir() if not path.is_symlink() and _is_export(path)]
    folders = sorted(exports, key=lambda path: path.stat().st_mtime)
    for old in folders[: -1 - KEPT_EXPORTS]:
        shutil.rmtree(old)
