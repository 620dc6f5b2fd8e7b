"""One build at a time: a lock that the operating system drops when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mall_segments.errors import MallSegmentsError
from mall_segments.publish.places import Places

SECONDS_BETWEEN_TRIES = 0.1


class BusyError(MallSegmentsError):
    """Another build holds the lock."""

    exit_code = os.EX_TEMPFAIL

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(
            "BUSY",
            f"Another build is running{holder}; it holds {path}.",
            "Try again when it is done; mall-segments build can wait for it: --wait SECONDS.",
        )


@contextmanager
def build_lock(
    path: Path, wait_seconds: float = 0.0, on_wait: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """Hold the lock, or raise BusyError when others have held it for `wait_seconds`.

    Parameters
    ----------
    path : Path
        The lock file. Only its lock matters; it is never removed, as that would let two in.
    wait_seconds : float
        How long to try.
    on_wait : callable
        Told once who holds the lock, if there is a wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    give_up = time.monotonic() + wait_seconds
    waited = False
    with path.open("a+", encoding="utf-8") as file:
        while not _acquire(file.fileno()):
            if time.monotonic() >= give_up:
                raise BusyError(path, _holder(path))
            if not waited:
                on_wait(f"Another build is running{_holder(path)}; waiting for it.")
                waited = True
            time.sleep(SECONDS_BETWEEN_TRIES)
        file.truncate(0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": since}, file)
        file.flush()
        yield


@contextmanager
def production_lock(
    places: Places, wait_seconds: float = 0.0, on_wait: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """Hold the locks of both files of a production (see `build_lock`)."""
    with ExitStack() as stack:
        for path in places.locks:
            stack.enter_context(build_lock(path, wait_seconds, on_wait))
        yield


def _acquire(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    """Return who says to hold the lock; nothing in the moment before the holder has said it."""
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
        return f" (process {who['pid']} on {who['host']} since {who['since']})"
    except (ValueError, KeyError, TypeError):
        return ""
