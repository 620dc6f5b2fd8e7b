"""File operations that survive a crash: copies, syncs and atomic replacement."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# ioctl of Linux that shares the blocks of two files until one is written (ioctl_ficlone(2)).
FICLONE = 0x40049409
# Nobody writes to a folder aside that has not changed for so long.
ABANDONED_SECONDS = 3_600


def clone_file(source: Path, copy: Path) -> None:
    """Copy a file; where the file system can, both share their blocks until one is written."""
    with source.open("rb") as original, copy.open("xb") as target:
        if _share_blocks(original.fileno(), target.fileno()):
            return
        shutil.copyfileobj(original, target, 1 << 22)


def sync_file(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(new: Path, old: Path) -> None:
    """Put a synced file in the place of another in one step, and make that last.

    Who may read and write the old file may do so with the new one.
    """
    with contextlib.suppress(FileNotFoundError):
        before = old.stat()
        new.chmod(stat.S_IMODE(before.st_mode))
        with contextlib.suppress(PermissionError):
            os.chown(new, before.st_uid, before.st_gid)
    new.replace(old)
    sync_folder(old.parent)


@contextlib.contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give the path of a new file beside another, which takes its place when it is written.

    A reader, or a crash, finds the old or the new file, whole.
    """
    path = path.resolve()
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        sync_file(partial)
        replace_file(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a small file in one step (see `written_aside`)."""
    with written_aside(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def folder_written_aside(folder: Path) -> Iterator[Path]:
    """Give a new folder beside another, which takes its place when it is written.

    Of several that are written at once the last one stays. What was killed an hour ago goes.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{folder.name}.aside-"
    for left in folder.parent.glob(f"{prefix}*"):
        if time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
            remove_folder(left)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=folder.parent) as aside:
        new = Path(aside) / folder.name
        new.mkdir()
        yield new
        for attempt in itertools.count():
            with contextlib.suppress(FileNotFoundError):
                folder.rename(Path(aside) / f"before-{attempt}")
            try:
                new.rename(folder)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            else:
                break


def empty_folder(folder: Path) -> Path:
    """Return the folder, made anew and empty."""
    remove_folder(folder)
    folder.mkdir(parents=True)
    return folder


def remove_folder(folder: Path) -> None:
    """Remove a folder and all in it, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _share_blocks(source: int, copy: int) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(copy, FICLONE, source)
    except OSError:
        return False
    return True
