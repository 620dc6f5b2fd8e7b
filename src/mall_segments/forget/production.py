"""Forget customers in every file of a production, under its lock.

1. Take the lock; clear and settle what an earlier crash left.
2. Copy every database without the customers, and check the copies; nothing has changed for anybody.
3. Remove the pages and logs, replace the published file and the kept builds, write exports anew.
4. Note the run in the copy of the warehouse, without the ids, and replace the warehouse by it.

Each file is replaced in one step. A run that is killed is completed by the same command: it looks
into every file again.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mall_segments.environment import MEMORY_LIMIT, environment_variable
from mall_segments.errors import MallSegmentsError, NotBuiltError
from mall_segments.forget.asked import ask
from mall_segments.forget.databases import count_found, write_without
from mall_segments.forget.documents import remove_documents
from mall_segments.forget.exports import forget_in_exports
from mall_segments.forget.named_rows import Aliases
from mall_segments.publish.build_log import NoSuchBuildError
from mall_segments.publish.database import (
    DEFAULT_MEMORY,
    MARTS,
    DamagedWarehouseError,
    StorageError,
    is_readable,
    lock_errors,
    storage_errors,
    write_ahead_log,
)
from mall_segments.publish.durable import empty_folder, remove_folder, replace_file, sync_file
from mall_segments.publish.lock import production_lock
from mall_segments.publish.moments import reached
from mall_segments.publish.places import Places
from mall_segments.publish.publication import ForeignWriterError, absorb_log, file_state, no_writer
from mall_segments.publish.serving import clear_leftovers, settle
from mall_segments.publish.stop_signals import undisturbed

WAREHOUSE, PUBLISHED, KEPT_BUILDS = "warehouse", "published", "kept_builds"
EXPORTS, DEVELOPMENT = "exports", "development"
PLACES = (WAREHOUSE, PUBLISHED, KEPT_BUILDS, EXPORTS, DEVELOPMENT)
LOG = f"{MARTS}.erasures"
# As the model of that name has them, which a warehouse of an earlier version was built without.
LOG_COLUMNS = ", ".join(
    ["erased_at timestamp", "customers_asked bigint", "customers_found bigint"]
    + [f"rows_in_{place} bigint" for place in PLACES]
)


class UnknownCustomersError(MallSegmentsError):
    """Customers who were in no file; the others have been removed."""

    exit_code = 4

    def __init__(self, unknown: int, asked: int) -> None:
        super().__init__(
            "UNKNOWN_CUSTOMERS",
            f"{unknown} of the {asked} customers are in no file.",
            "Check their ids; who was removed before is unknown too. All others are removed.",
        )


@dataclass(frozen=True)
class Request:
    """Whom to forget, and where besides the two files of a production.

    Attributes
    ----------
    ids : as any file may spell them
    project : folder of the dbt project, with its pages and logs
    development : DuckDB file of a bare dbt build
    exports : folders as `mall-segments export --to` takes them
    aliases : names that the project adds to those of the columns of a source
    """

    ids: Sequence[str]
    project: Path
    development: Path
    exports: Sequence[Path]
    aliases: Aliases


@dataclass(frozen=True)
class Forgotten:
    """What came of a request.

    Attributes
    ----------
    asked, found : customers
    rows : rows about them that were removed, by place out of PLACES
    removed : pages, logs and leftovers that were removed, and kept builds that nobody can read
    """

    asked: int
    found: int
    rows: dict[str, int]
    removed: list[Path]


@dataclass(frozen=True)
class _Copy:
    """What will take the place of a database, and the state of that when it was copied."""

    path: Path
    file: Path
    state: list[tuple[int, int, int]]


def forget(
    places: Places,
    request: Request,
    wait_seconds: float = 0.0,
    on_wait: Callable[[str], None] = lambda _: None,
) -> Forgotten:
    """Remove customers with all their history from every file, and note that in the warehouse.

    Parameters
    ----------
    places : Places
    request : Request
    wait_seconds, on_wait : as `lock.build_lock` takes them

    Raises
    ------
    NotBuiltError
        If there is no database.
    NoIdsError, BusyError, InUseError, ForeignWriterError, DamagedWarehouseError, StorageError,
    NotForgottenError
    """
    rows = dict.fromkeys(PLACES, 0)
    with storage_errors(), production_lock(places, wait_seconds, on_wait):
        clear_leftovers(places)
        with contextlib.suppress(NoSuchBuildError):
            settle(places)
        with _folders(places, request.development) as folders, _session(folders) as session:
            asked = ask(session, request.ids)
            copies, damaged = [], []
            for place, path in _databases(places, request.development):
                _settle_log(place, path)
                copy = _Copy(path, folders[place] / path.name, file_state(path))
                try:
                    with lock_errors(path):
                        rows[place] += write_without(session, path, copy.file, request.aliases)
                    copies.append(copy)
                except duckdb.Error as error:
                    if place == KEPT_BUILDS and not is_readable(path):
                        damaged.append(path)
                        continue
                    raise _named(error, path) from None
            if not copies:
                raise NotBuiltError(f"There is no database at {places.warehouse}.")
            reached("copied")
            with undisturbed(), _unchanged(copies):
                removed = remove_documents(places, request.project)
                for path in damaged:
                    path.unlink()
                reached("documents_removed")
                for copy in copies[:-1]:
                    _put_in_place(copy)
                reached("published_forgotten")
                for folder in request.exports:
                    rows[EXPORTS] += forget_in_exports(session, folder, request.aliases)
                reached("exports_forgotten")
                found = count_found(session)
                _note(copies[-1].file, [asked, found, *rows.values()])
                _put_in_place(copies[-1])
                reached("forgotten")
    return Forgotten(asked, found, rows, removed + damaged)


@contextmanager
def _folders(places: Places, development: Path) -> Iterator[dict[str, Path]]:
    """Make a folder for copies by place, beside what they replace; the next run clears it."""
    candidates = development.with_name(f"{development.name}.candidates")
    beside = {
        WAREHOUSE: places.candidates_folder,
        PUBLISHED: places.next_folder,
        KEPT_BUILDS: places.next_folder,
        DEVELOPMENT: candidates if development.exists() else places.candidates_folder,
    }
    with ExitStack() as stack:
        for folder in set(beside.values()):
            stack.callback(remove_folder, folder)
            empty_folder(folder)
        yield {place: Path(tempfile.mkdtemp(dir=folder)) for place, folder in beside.items()}


@contextmanager
def _session(folders: dict[str, Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the engine that copies; what does not fit into its memory goes beside the copies."""
    memory = environment_variable(MEMORY_LIMIT, DEFAULT_MEMORY)
    spill = str(folders[WAREHOUSE] / "spill")
    with duckdb.connect(config={"memory_limit": memory, "temp_directory": spill}) as session:
        yield session


def _databases(places: Places, development: Path) -> list[tuple[str, Path]]:
    """Return the databases that are there, that which notes the run last."""
    found = [(KEPT_BUILDS, path) for path in sorted(places.kept_folder.glob("*.duckdb"))]
    found += [(PUBLISHED, places.published), (DEVELOPMENT, development)]
    found += [(WAREHOUSE, places.warehouse)]
    return [(place, path) for place, path in found if path.exists()]


def _settle_log(place: str, path: Path) -> None:
    """Bring a write-ahead log into a database of ours; set aside what is written to one for BI."""
    if place in (WAREHOUSE, DEVELOPMENT):
        absorb_log(path)
        return
    log = write_ahead_log(path)
    if log.exists():
        with no_writer(path):
            replace_file(log, log.with_name(f"{log.name}.aside"))


def _named(error: duckdb.Error, path: Path) -> Exception:
    """Return what is wrong: with the disk, or with a database that nobody can read."""
    if is_readable(path):
        return StorageError(str(error).splitlines()[0])
    return DamagedWarehouseError(path, str(error).splitlines()[0])


@contextmanager
def _unchanged(copies: Sequence[_Copy]) -> Iterator[None]:
    """Hold off writers of the databases, or raise ForeignWriterError if there are or were any."""
    with ExitStack() as stack:
        for copy in copies:
            stack.enter_context(no_writer(copy.path))
            if file_state(copy.path) != copy.state:
                raise ForeignWriterError(copy.path)
        yield


def _put_in_place(copy: _Copy) -> None:
    sync_file(copy.file)
    replace_file(copy.file, copy.path)


def _note(database: Path, numbers: Sequence[int]) -> None:
    """Append a row to the log of erasures, and leave no write-ahead log."""
    values = ", ".join("?" for _ in numbers)
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"create schema if not exists {MARTS}")
        connection.execute(f"create table if not exists {LOG} ({LOG_COLUMNS})")
        connection.execute(
            f"insert into {LOG} values (cast(now() at time zone 'UTC' as timestamp), {values})",
            list(numbers),
        )
        connection.execute("checkpoint")
