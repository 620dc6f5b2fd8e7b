"""Build aside, audit, and replace what BI reads.

The order of things, with the moments at which a crash was tested (see `moments`):

1. Take the lock, clear and settle what an earlier crash left, copy the warehouse to a candidate.
2. Build into the candidate and audit it.
3. Write the published file to be; wait until all is on the disk.
4. Replace the warehouse: the build is committed. Replace the published file: BI reads it.

Before step 4 nothing that anybody reads has changed. A crash within it leaves a warehouse that is
one build ahead; `serving.settle` sees that and publishes again.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from mall_segments.errors import MallSegmentsError
from mall_segments.publish.audit import (
    audit_candidate,
    audit_published,
    candidate_errors,
    drop_orphans,
    stamp_candidate,
)
from mall_segments.publish.build_log import NoSuchBuildError, read_log
from mall_segments.publish.database import (
    MARTS,
    DamagedWarehouseError,
    InUseError,
    lock_errors,
    reading,
    storage_errors,
    write_ahead_log,
    write_published,
)
from mall_segments.publish.dbt_run import Made
from mall_segments.publish.durable import (
    clone_file,
    empty_folder,
    remove_folder,
    replace_file,
    sync_file,
)
from mall_segments.publish.lock import production_lock
from mall_segments.publish.moments import reached
from mall_segments.publish.places import Places
from mall_segments.publish.progress import Progress, Published
from mall_segments.publish.serving import (
    UnknownBuildError,
    clear_leftovers,
    keep,
    prune,
    put_next_in_place,
    require_known,
    settle,
)
from mall_segments.publish.stop_signals import undisturbed

KEPT_BUILDS = 5


class ForeignWriterError(MallSegmentsError):
    """A file that somebody else wrote to, or holds open to write, while it is to be replaced."""

    exit_code = os.EX_TEMPFAIL

    def __init__(self, warehouse: Path) -> None:
        super().__init__(
            "WAREHOUSE_CHANGED",
            f"Somebody else is writing, or wrote, to {warehouse} during this command, which would "
            "have replaced it.",
            "Nothing was replaced and nothing is lost. Try again when they are done.",
        )


class NotServedError(MallSegmentsError):
    """A build that is committed while the published file could not be replaced."""

    exit_code = os.EX_IOERR

    def __init__(self, build_id: str, published: Path, problem: str) -> None:
        super().__init__(
            "NOT_SERVED",
            f"Build {build_id} is committed, but {published} could not be replaced: {problem}.",
            "BI reads the build before. The next command tries again: mall-segments builds.",
        )


def publish_build(
    places: Places,
    make: Callable[[Path], Made],
    check: Callable[[Path, Made], None],
    progress: Progress,
    *,
    wait_seconds: float = 0.0,
    keep_candidate: bool = False,
    kept_builds: int = KEPT_BUILDS,
    restored: bool = False,
) -> Published:
    """Build, audit and publish.

    Parameters
    ----------
    places : Places
    make : callable
        Builds into the candidate it is given, which is a copy of the warehouse or not there yet.
    check : callable
        Raises if what was made must not be published.
    progress : Progress
    wait_seconds : float
        How long to wait for another build.
    keep_candidate : bool
        Leave a candidate that fails in `places.failed_folder`.
    kept_builds : int
        Earlier builds whose published files are kept for a rollback.
    restored : bool
        The warehouse may not know the build that is served: it was restored from a backup.

    Raises
    ------
    NotServedError
        If the build is committed and the published file could not follow.
    UnknownBuildError
        If the warehouse does not know the build that is served, and is not `restored`.
    BusyError, DamagedWarehouseError, ForeignWriterError, StorageError, AuditFailedError, and what
    `make` and `check` raise. Neither file has changed then.
    """
    begin = time.monotonic()
    with storage_errors(), production_lock(places, wait_seconds, progress.note):
        reached("locked")
        _tidy_up(places, progress, restored=restored)
        progress.step("candidate")
        candidate = _new_candidate(places)
        try:
            absorb_log(places.warehouse)
            cloned = file_state(places.warehouse)
            if places.warehouse.exists():
                clone_file(places.warehouse, candidate)
            reached("cloned")
            progress.step("build")
            made = make(candidate)
            reached("built")
            progress.step("audit")
            _audit(candidate, made, check, progress)
            reached("audited")
            progress.step("publish")
            build = _prepare_next(places, candidate, made, begin)
            with undisturbed():
                with no_writer(places.warehouse):
                    if file_state(places.warehouse) != cloned:
                        raise ForeignWriterError(places.warehouse)
                    replace_file(candidate, places.warehouse)
                note = _serve(places, made.build_id, kept_builds)
        except NotServedError:
            raise
        except BaseException:
            if keep_candidate:
                remove_folder(places.failed_folder)
                candidate.parent.rename(places.failed_folder)
                progress.note(f"The candidate is kept in {places.failed_folder}.")
            with contextlib.suppress(OSError):
                clear_leftovers(places)
            raise
    if note:
        progress.note(note)
    return Published(
        build_id=made.build_id,
        customers=build["customers"],
        k=build["k"],
        duration_seconds=build["duration_seconds"],
        path=str(places.published),
    )


def _tidy_up(places: Places, progress: Progress, *, restored: bool) -> None:
    """Clear and settle what a killed build left."""
    clear_leftovers(places)
    reached("cleared")
    try:
        if repaired := settle(places):
            progress.note(repaired)
        require_known(places)
    except UnknownBuildError as error:
        if not restored:
            raise
        progress.note(f"{error.message} This build goes on from the warehouse all the same.")
    except NoSuchBuildError as error:
        progress.note(f"{error.message} This build takes its place.")
    except InUseError as error:
        if error.path != places.published:
            raise
        progress.note(f"{error.message} This build takes its place all the same.")
    reached("settled")
    if places.published.exists() and not places.warehouse.exists():
        progress.note(f"There is no warehouse {places.warehouse}: its history begins anew.")


def _new_candidate(places: Places) -> Path:
    """Return where a candidate goes: a new folder, so that no orphan of another build has it."""
    places.published.parent.mkdir(parents=True, exist_ok=True)
    empty_folder(places.candidates_folder)
    return Path(tempfile.mkdtemp(dir=places.candidates_folder)) / places.warehouse.name


def _audit(
    candidate: Path, made: Made, check: Callable[[Path, Made], None], progress: Progress
) -> None:
    with candidate_errors():
        for orphan in drop_orphans(candidate, made):
            progress.note(f"Dropped {MARTS}.{orphan}: no model makes it any more.")
        audit_candidate(candidate, made)
        check(candidate, made)


def _prepare_next(places: Places, candidate: Path, made: Made, begin: float) -> dict[str, Any]:
    """Write the published file to be, bring all to the disk, and return the row of the log."""
    with candidate_errors():
        stamp_candidate(candidate, made.build_id, round(time.monotonic() - begin, 3))
        reached("stamped")
        empty_folder(places.next_folder)
        write_published(candidate, places.next)
        reached("written")
        audit_published(places.next, candidate)
        reached("verified")
    build = read_log(candidate)[-1]
    sync_file(candidate)
    sync_file(places.next)
    reached("synced")
    return build


def unpromoted(candidate: Path, build_id: str) -> str | None:
    """Return why the fit of a build was not promoted; None if it was, or nothing was fitted."""
    with reading(candidate) as connection:
        rows = connection.execute(
            f"select decision from {MARTS}.model_runs where model_id = ? and not is_promoted",
            [build_id],
        ).fetchall()
    return rows[0][0] if rows else None


def _serve(places: Places, build_id: str, kept_builds: int) -> str | None:
    """Put the published file of the build that was just committed in its place, and tidy up."""
    reached("warehouse_replaced")
    try:
        note = put_next_in_place(places)
    except OSError as error:
        raise NotServedError(build_id, places.published, str(error.strerror)) from None
    try:
        keep(places, build_id)
        clear_leftovers(places)
        prune(places, kept_builds)
    except (OSError, MallSegmentsError) as error:
        note = f"It is published, but could not be kept for a rollback: {error}"
    reached("pruned")
    return note


def absorb_log(warehouse: Path) -> None:
    """Bring what a killed loader left in a write-ahead log into the warehouse.

    Raises
    ------
    DamagedWarehouseError
        If the warehouse cannot be read.
    InUseError
        If somebody has it open to write.
    """
    if not warehouse.exists():
        return
    try:
        if write_ahead_log(warehouse).exists():
            with lock_errors(warehouse), duckdb.connect(str(warehouse)) as connection:
                connection.execute("checkpoint")
        else:
            with reading(warehouse):
                pass
    except duckdb.Error as error:
        raise DamagedWarehouseError(warehouse, str(error).splitlines()[0]) from None


@contextmanager
def no_writer(warehouse: Path) -> Iterator[None]:
    """Hold the lock that DuckDB's readers share, so that no writer has the warehouse open."""
    with contextlib.ExitStack() as stack:
        if warehouse.exists():
            try:
                stack.enter_context(reading(warehouse))
            except (duckdb.Error, InUseError):
                raise ForeignWriterError(warehouse) from None
        yield


def file_state(warehouse: Path) -> list[tuple[int, int, int]]:
    """Return what changes when somebody writes to the warehouse or its write-ahead log."""
    return [
        (found.st_ino, found.st_size, found.st_mtime_ns)
        for found in (
            path.stat() for path in (warehouse, write_ahead_log(warehouse)) if path.exists()
        )
    ]
