"""Which build BI reads: put in its place, kept for a rollback, and mended after a crash."""

from __future__ import annotations

import contextlib
import itertools
import json
from pathlib import Path

import duckdb

from mall_segments.errors import MallSegmentsError
from mall_segments.outputs import NotOursError
from mall_segments.publish.build_log import NoSuchBuildError, builds, choose_build, read_log
from mall_segments.publish.database import (
    InUseError,
    build_of,
    is_readable,
    storage_errors,
    write_ahead_log,
    write_published,
)
from mall_segments.publish.durable import (
    clone_file,
    empty_folder,
    remove_folder,
    replace_file,
    sync_file,
    sync_folder,
    write_text,
)
from mall_segments.publish.lock import BusyError, production_lock
from mall_segments.publish.moments import reached
from mall_segments.publish.places import Places
from mall_segments.publish.stop_signals import undisturbed


class UnknownBuildError(MallSegmentsError):
    """A published file with a build that the warehouse does not know."""

    def __init__(self, places: Places, served: str) -> None:
        super().__init__(
            "UNKNOWN_BUILD",
            f"BI reads build {served}, which {places.warehouse} does not know: it was restored "
            "from a backup, or is that of another production.",
            "If it was restored, go on from it: mall-segments build --restored.",
        )


def put_next_in_place(places: Places) -> str | None:
    """Replace the published file by the next one, in one step.

    Returns
    -------
    str or None
        What was found and set aside: a write-ahead log, which would be replayed into the new file.
    """
    log = write_ahead_log(places.published)
    note = None
    if log.exists():
        aside = _free_name(log.with_name(log.name + ".aside"))
        replace_file(log, aside)
        note = (
            f"Somebody has written to {places.published}, which is to be opened read-only; "
            f"what they wrote is in {aside}."
        )
    reached("log_moved")
    replace_file(places.next, places.published)
    reached("published_replaced")
    return note


def settle(places: Places) -> str | None:
    """Publish what should be served if the published file holds something else.

    The lock must be held.

    Returns
    -------
    str or None
        What was repaired.

    Raises
    ------
    NoSuchBuildError
        If what should be served is nowhere to be found.
    NotOursError
        If the published file is a file of somebody else.
    """
    _require_ours(places)
    wanted, found = _wanted_and_found(places)
    if wanted is None or wanted == found:
        return None
    _prepare(places, wanted)
    with undisturbed():
        put_next_in_place(places)
        keep(places, wanted)
    remove_folder(places.next_folder)
    return f"Published build {wanted} again; the published file held {found or 'no build'}."


def require_known(places: Places) -> None:
    """Refuse to go on from a warehouse that is older, or another, than what BI reads.

    Raises
    ------
    UnknownBuildError
    """
    wanted, found = _wanted_and_found(places)
    if wanted is None and found is not None:
        raise UnknownBuildError(places, found)


def settle_if_idle(places: Places) -> str | None:
    """Settle if there is need, unless a build is running or somebody has a file open to write.

    Returns
    -------
    str or None
        What was repaired or could not be.
    """
    try:
        with storage_errors():
            require_known(places)
            wanted, found = _wanted_and_found(places)
            if wanted is None or wanted == found:
                return None
            with production_lock(places):
                return settle(places)
    except (BusyError, InUseError):
        return None
    except (NotOursError, UnknownBuildError) as error:
        return error.message
    except MallSegmentsError as error:
        return f"The published file is behind and could not be repaired: {error.message}"


def rollback(places: Places, wanted: str | None = None) -> tuple[str | None, str]:
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
    NoSuchBuildError, BusyError, InUseError, StorageError
    """
    with storage_errors(), production_lock(places):
        clear_leftovers(places)
        with contextlib.suppress(NoSuchBuildError):
            settle(places)
        log = builds(places)
        chosen = choose_build(log, wanted)
        served = build_of(places.published)
        _prepare(places, chosen)
        note = {"build_id": chosen, "instead_of": log[-1].build_id}
        with undisturbed():
            write_text(places.rollback, json.dumps(note))
            reached("rollback_noted")
            put_next_in_place(places)
        remove_folder(places.next_folder)
    return served, chosen


def keep(places: Places, build_id: str) -> None:
    """Keep a copy of the published file for a rollback.

    A copy, as somebody who writes to the published file would change a link to it too.
    """
    kept = places.kept(build_id)
    if kept.exists():
        return
    places.kept_folder.mkdir(exist_ok=True)
    partial = kept.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    clone_file(places.published, partial)
    sync_file(partial)
    replace_file(partial, kept)
    reached("kept")


def prune(places: Places, kept_builds: int) -> None:
    """Remove the published files of all but the last builds, and what a crash left among them.

    Those of builds that the warehouse does not know stay: it may have been restored from a backup.
    """
    known = [places.kept(build.build_id) for build in builds(places)]
    old = known[: -1 - kept_builds]
    for path in places.kept_folder.iterdir():
        if path in old or path.suffix == ".partial":
            path.unlink()
    places.rollback.unlink(missing_ok=True)
    sync_folder(places.kept_folder)


def clear_leftovers(places: Places) -> None:
    """Remove what a killed build was working on."""
    remove_folder(places.candidates_folder)
    remove_folder(places.next_folder)


def _free_name(path: Path) -> Path:
    """Return a name that nothing has yet: what was set aside before stays."""
    names = (path.with_name(f"{path.name}{number or ''}") for number in itertools.count())
    return next(name for name in names if not name.exists())


def _require_ours(places: Places) -> None:
    """Refuse to replace a file in which nothing was ever published: it may be anything."""
    if not places.published.exists() or places.kept_folder.exists():
        return
    try:
        is_ours = build_of(places.published) is not None
    except InUseError:
        is_ours = False
    if not is_ours:
        raise NotOursError(places.published)


def _wanted_and_found(places: Places) -> tuple[str | None, str | None]:
    """Return the build to serve, None to leave what is there, and the build that is served."""
    if not places.warehouse.exists():
        return None, None
    log = [row["build_id"] for row in read_log(places.warehouse)]
    found = build_of(places.published)
    if not log or (found is not None and found not in log):
        # A warehouse that knows nothing of what is served: restored from a backup, perhaps.
        return None, found
    note = _rollback_note(places.rollback)
    if note and note.get("instead_of") == log[-1]:
        return note.get("build_id"), found
    return log[-1], found


def _rollback_note(path: Path) -> dict[str, str] | None:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def _prepare(places: Places, build_id: str) -> None:
    """Make the next published file from a build that is kept, or that the warehouse holds."""
    empty_folder(places.next_folder)
    kept = places.kept(build_id)
    if build_of(kept) == build_id and is_readable(kept):
        clone_file(kept, places.next)
    elif build_of(places.warehouse) == build_id:
        try:
            write_published(places.warehouse, places.next)
        except duckdb.Error as error:
            raise NoSuchBuildError(f"Build {build_id} cannot be read: {error}", []) from None
    else:
        raise NoSuchBuildError(
            f"Neither {kept} nor {places.warehouse} holds build {build_id}",
            [path.stem for path in places.kept_folder.glob("*.duckdb")],
        )
    sync_file(places.next)
