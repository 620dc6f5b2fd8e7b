"""Where dbt writes during a build: folders of its own, then those in which people look.

Two productions of one clone may build at once, and a developer beside them: a build reads the
manifest that dbt has left, and would find that of another.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TARGET = "target"
LOGS = "logs"
LOG = "dbt.log"
# What dbt has parsed; it parses only what changed since.
PARSED = "partial_parse.msgpack"
# dbt itself begins a new log at this size.
LARGEST_LOG = 10 << 20


@contextmanager
def own_folders(project: Path, aside: Path) -> Iterator[tuple[Path, Path]]:
    """Give a target and a log folder to one run of dbt, and hand over what is in them at its end.

    Parameters
    ----------
    project : folder of the dbt project, whose `target` and `logs` get it; that of a build which
        ends later takes its place, file by file
    aside : folder for both, which nobody else uses
    """
    target, logs = aside / TARGET, aside / LOGS
    target.mkdir()
    with contextlib.suppress(FileNotFoundError):
        shutil.copy(project / TARGET / PARSED, target)
    try:
        yield target, logs
    finally:
        shutil.copytree(target, project / TARGET, copy_function=_copy_whole, dirs_exist_ok=True)
        if (logs / LOG).exists():
            _append(logs / LOG, project / LOGS / LOG)


def _copy_whole(source: str, copy: str) -> None:
    """Copy a file so that its readers find the one before, or all of it."""
    partial = f"{copy}.{os.getpid()}"
    shutil.copyfile(source, partial)
    Path(partial).replace(copy)


def _append(log: Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    if to.exists() and to.stat().st_size > LARGEST_LOG:
        to.replace(to.with_name(f"{to.name}.1"))
    with log.open("rb") as lines, to.open("ab") as file:
        shutil.copyfileobj(lines, file)
