"""Build aside, audit, and replace what BI reads; mend what a killed command left behind.

The order of things, with the moments at which a crash was tested (see `moments`):

1. Take the lock, settle what an earlier crash left, copy the warehouse to a candidate.
2. Build into the candidate and audit it.
3. Write the published file to be, and a copy of it to keep; wait until all is on the disk.
4. Replace the warehouse: the build is committed. Replace the published file: BI reads it.

Before step 4 nothing that anybody reads has changed. A crash within it leaves a warehouse that is
one build ahead; `settle` sees that and publishes again.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from mall_segments.errors import MallSegmentsError
from mall_segments.publish.audit import (
    audit_candidate,
    audit_published,
    drop_orphans,
    stamp_candidate,
)
from mall_segments.publish.database import (
    LOG,
    MARTS,
    DamagedWarehouseError,
    StorageError,
    build_of,
    reading,
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
    sync_folder,
    write_text,
)
from mall_segments.publish.lock import BusyError, build_lock
from mall_segments.publish.moments import reached
from mall_segments.publish.places import Places
from mall_segments.publish.progress import Progress, Published
from mall_segments.publish.stop_signals import undisturbed

KEPT_BUILDS = 5


class NoSuchBuildError(MallSegmentsError):
    """A build that is not kept."""

    def __init__(self, wanted: str, kept: list[str]) -> None:
        listed = ", ".join(kept) or "none"
        super().__init__(
            "NO_SUCH_BUILD",
            f"{wanted}; the builds that are kept: {listed}.",
            "List them: mall-segments builds.",
        )


class ForeignWriterError(MallSegmentsError):
    """A warehouse that somebody else wrote to during a build."""

    exit_code = os.EX_TEMPFAIL

    def __init__(self, warehouse: Path) -> None:
        super().__init__(
            "WAREHOUSE_CHANGED",
            f"Somebody wrote to {warehouse} during the build, which would have replaced it.",
            "Nothing was published and nothing is lost. Build again when they are done.",
        )


@dataclass(frozen=True)
class Build:
    """One row of the log of builds, as `marts.builds` describes its columns.

    Attributes
    ----------
    is_served : BI reads this build
    is_kept : its published file can be put back
    """

    build_id: str
    published_at: datetime
    customers: int
    rows_rejected: int
    k: int
    wcss: float
    input_fingerprint: str
    duration_seconds: float
    is_served: bool
    is_kept: bool


def publish_build(
    places: Places,
    make: Callable[[Path], Made],
    check: Callable[[Path, Made], None],
    progress: Progress,
    *,
    wait_seconds: float = 0.0,
    keep_candidate: bool = False,
    kept_builds: int = KEPT_BUILDS,
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

    Raises
    ------
    BusyError, DamagedWarehouseError, StorageError, AuditFailedError, and what `make` and `check`
    raise. Neither file has changed then.
    """
    begin = time.monotonic()
    with _storage_errors(), build_lock(places.lock, wait_seconds, progress.note):
        reached("locked")
        try:
            if repaired := settle(places):
                progress.note(repaired)
        except NoSuchBuildError as error:
            progress.note(f"{error.message}; this build takes its place.")
        reached("settled")
        _clear_leftovers(places)
        reached("cleared")
        progress.step("candidate")
        if places.published.exists() and not places.warehouse.exists():
            progress.note(f"There is no warehouse {places.warehouse}: its history begins anew.")
        places.candidates_folder.mkdir()
        places.published.parent.mkdir(parents=True, exist_ok=True)
        candidate = Path(tempfile.mkdtemp(dir=places.candidates_folder)) / places.warehouse.name
        try:
            _clone_warehouse(places.warehouse, candidate)
            cloned = _state(places.warehouse)
            reached("cloned")
            progress.step("build")
            made = make(candidate)
            reached("built")
            progress.step("audit")
            for orphan in drop_orphans(candidate, made):
                progress.note(f"Dropped {MARTS}.{orphan}: no model makes it any more.")
            audit_candidate(candidate, made)
            check(candidate, made)
            reached("audited")
            progress.step("publish")
            stamp_candidate(candidate, made.build_id, round(time.monotonic() - begin, 3))
            reached("stamped")
            _prepare_next(places, candidate, made.build_id)
            sync_file(candidate)
            if _state(places.warehouse) != cloned:
                raise ForeignWriterError(places.warehouse)
            reached("synced")
        except BaseException:
            if keep_candidate:
                remove_folder(places.failed_folder)
                candidate.parent.rename(places.failed_folder)
                progress.note(f"The candidate is kept in {places.failed_folder}.")
            with contextlib.suppress(OSError):
                _clear_leftovers(places)
            raise
        with undisturbed():
            _set_log_aside(places.warehouse)
            replace_file(candidate, places.warehouse)
            reached("warehouse_replaced")
            _publish_next(places, progress.note)
            reached("published_replaced")
            places.rollback.unlink(missing_ok=True)
            _clear_leftovers(places)
            _prune(places, kept_builds)
            reached("pruned")
        build = next(build for build in builds(places) if build.build_id == made.build_id)
    return Published(
        build.build_id, build.customers, build.k, build.duration_seconds, str(places.published)
    )


def settle(places: Places) -> str | None:
    """Publish what should be served if the published file holds something else.

    The lock must be held.

    Returns
    -------
    str or None
        What was repaired.
    """
    if not places.warehouse.exists():
        return None
    served, found = _build_to_serve(places), build_of(places.published)
    if served is None or found == served:
        return None
    _serve(places, served)
    return f"Published build {served} again; the published file held {found or 'no build'}."


def settle_if_idle(places: Places) -> str | None:
    """Settle, unless a build is running, which has done so, or this user may only read."""
    if not places.warehouse.exists():
        return None
    with contextlib.suppress(BusyError, PermissionError), build_lock(places.lock):
        return settle(places)
    return None


def builds(places: Places) -> list[Build]:
    """Return the log of builds, oldest first; empty if there was none."""
    if not places.warehouse.exists():
        return []
    served = build_of(places.published)
    return [
        Build(
            **row,
            is_served=row["build_id"] == served,
            is_kept=places.kept(row["build_id"]).exists(),
        )
        for row in _log(places.warehouse)
    ]


def rollback(places: Places, wanted: str | None = None) -> tuple[str, str]:
    """Serve a build that is kept, by default the one published before that which is served.

    The warehouse stays as it is, with its history; the next build goes on from there.

    Parameters
    ----------
    places : Places
    wanted : str, optional
        Build id or the beginning of one.

    Returns
    -------
    tuple of str
        The build that was served, and the one that is served now.

    Raises
    ------
    NoSuchBuildError, BusyError, StorageError
    """
    with _storage_errors(), build_lock(places.lock):
        settle(places)
        _clear_leftovers(places)
        log = builds(places)
        chosen = _choose(log, wanted)
        served = next(build.build_id for build in log if build.is_served)
        places.kept_folder.mkdir(parents=True, exist_ok=True)
        note = {"build_id": chosen, "instead_of": log[-1].build_id}
        write_text(places.rollback, json.dumps(note))
        reached("rollback_noted")
        _serve(places, chosen)
    return served, chosen


def _choose(log: list[Build], wanted: str | None) -> str:
    kept = [build.build_id for build in log if build.is_kept]
    if wanted:
        matching = [build_id for build_id in kept if build_id.startswith(wanted)]
        if len(matching) != 1:
            found = (
                f"{len(matching)} builds begin with {wanted!r}"
                if matching
                else (f"There is no build {wanted!r}")
            )
            raise NoSuchBuildError(found, kept)
        return matching[0]
    positions = [position for position, build in enumerate(log) if build.is_served]
    earlier = [build.build_id for build in log[: max(positions, default=0)] if build.is_kept]
    if not earlier:
        raise NoSuchBuildError("There is no build before the one that is served", kept)
    return earlier[-1]


def _build_to_serve(places: Places) -> str | None:
    """Return the last build of the warehouse, or the one that a rollback put in its place."""
    log = _log(places.warehouse)
    if not log:
        return None
    last = log[-1]["build_id"]
    try:
        note = json.loads(places.rollback.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return last
    return note["build_id"] if note["instead_of"] == last else last


def _log(warehouse: Path) -> list[dict[str, Any]]:
    columns = [field.name for field in fields(Build) if not field.name.startswith("is_")]
    try:
        with reading(warehouse) as connection:
            rows = connection.sql(
                f"select {', '.join(columns)} from {MARTS}.{LOG}"
                " where published_at is not null order by published_at"
            ).fetchall()
    except duckdb.CatalogException:
        return []
    except duckdb.Error as error:
        raise DamagedWarehouseError(warehouse, str(error).splitlines()[0]) from None
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _serve(places: Places, build_id: str) -> None:
    """Publish a build that is kept, or that the warehouse holds."""
    empty_folder(places.next_folder)
    kept = places.kept(build_id)
    if build_of(kept) == build_id:
        clone_file(kept, places.next)
    elif build_of(places.warehouse) == build_id:
        write_published(places.warehouse, places.next)
    else:
        raise NoSuchBuildError(
            f"Neither {kept} nor {places.warehouse} holds build {build_id}",
            [path.stem for path in places.kept_folder.glob("*.duckdb")],
        )
    sync_file(places.next)
    with undisturbed():
        _publish_next(places)
    remove_folder(places.next_folder)


def _clone_warehouse(warehouse: Path, candidate: Path) -> None:
    """Copy the warehouse while no one can write to it."""
    if not warehouse.exists():
        return
    try:
        with reading(warehouse):
            for path in (warehouse, write_ahead_log(warehouse)):
                if path.exists():
                    clone_file(path, candidate.with_name(path.name))
    except duckdb.Error as error:
        raise DamagedWarehouseError(warehouse, str(error).splitlines()[0]) from None


def _state(warehouse: Path) -> list[tuple[int, int, int]]:
    """Return what changes when somebody writes to the warehouse or its write-ahead log."""
    return [
        (found.st_ino, found.st_size, found.st_mtime_ns)
        for found in (
            path.stat() for path in (warehouse, write_ahead_log(warehouse)) if path.exists()
        )
    ]


def _prepare_next(places: Places, candidate: Path, build_id: str) -> None:
    empty_folder(places.next_folder)
    places.kept_folder.mkdir(exist_ok=True)
    write_published(candidate, places.next)
    reached("written")
    audit_published(places.next, candidate)
    reached("verified")
    kept = places.kept(build_id)
    clone_file(places.next, kept)
    sync_file(kept)
    sync_folder(places.kept_folder)
    reached("kept")
    sync_file(places.next)


def _publish_next(places: Places, note: Callable[[str], None] = lambda _: None) -> None:
    if aside := _set_log_aside(places.published):
        note(
            f"Somebody has written to {places.published}, which is to be opened read-only; "
            f"what they wrote is in {aside}."
        )
    reached("log_moved")
    replace_file(places.next, places.published)


def _set_log_aside(path: Path) -> Path | None:
    """Keep a foreign write-ahead log from being replayed into the file that comes next."""
    log = write_ahead_log(path)
    aside = log.with_name(log.name + ".aside")
    try:
        replace_file(log, aside)
    except FileNotFoundError:
        return None
    return aside


def _clear_leftovers(places: Places) -> None:
    remove_folder(places.candidates_folder)
    remove_folder(places.next_folder)


def _prune(places: Places, kept_builds: int) -> None:
    """Remove published files of old builds, and those of builds that were never committed."""
    log = builds(places)
    stay = {build.build_id for build in log[-1 - kept_builds :]}
    for path in places.kept_folder.glob("*.duckdb"):
        if path.stem not in stay:
            path.unlink()


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Turn what the disk refuses into a message."""
    try:
        yield
    except duckdb.IOException as error:
        raise StorageError(str(error).splitlines()[0]) from None
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        raise StorageError(f"{error.strerror}{where}") from None
