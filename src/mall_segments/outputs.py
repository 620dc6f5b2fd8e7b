"""What commands write where a user says: never over what they read, nor over what others wrote.

Every file that a command leaves in a place of the user's choice can be told from others by itself,
so that a later run may replace it: text and pictures hold MARK, a page its generator, a CSV file,
which has no room for that, the very header that the command writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mall_segments.errors import MallSegmentsError

MARK = "written by mall-segments"
PAGE_MARK = '<meta name="generator" content="mall-segments '
# Where a mark stands: so many bytes from the beginning or the end of a file.
MARKED_BYTES = 1 << 16


class NotOursError(MallSegmentsError):
    """Something of somebody else in the place of what would be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "NOT_OURS",
            f"{path} is there already, and mall-segments did not write it.",
            "Move it away, or name another place.",
        )


class SamePlaceError(MallSegmentsError):
    """One path for two files."""

    def __init__(self, both: str, path: Path, hint: str) -> None:
        super().__init__("SAME_PLACE", f"{both} are both {path}.", hint)


class OutputFormatError(MallSegmentsError):
    """A name for an output that tells none of its formats."""

    def __init__(self, path: Path, endings: Iterable[str]) -> None:
        super().__init__(
            "OUTPUT_FORMAT",
            f"The output is {path}, expected a name that ends in {' or '.join(endings)}.",
            "Give --to another name.",
        )


class NoFolderError(MallSegmentsError):
    """An output in a folder that is not there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            "NO_FOLDER", f"There is no folder {folder}.", "Make it, or give --to another name."
        )


def require_unread(path: Path, reads: Iterable[Path]) -> None:
    """Refuse to write a file over one that is read, or raise SamePlaceError."""
    if any(same_file(path, read) for read in reads):
        raise SamePlaceError("The input and the output", path, "Give the output another name.")


def require_room(path: Path, mark: str) -> None:
    """Refuse to write a file over one that we did not write, or raise NotOursError.

    Parameters
    ----------
    path : file to write
    mark : what tells a file of ours, of the same kind, from others
    """
    if (path.exists() or path.is_symlink()) and not is_ours(path, mark):
        raise NotOursError(path)


def is_ours(path: Path, mark: str) -> bool:
    """Whether a file has a mark near its beginning, which counts as a new line, or its end."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        beginning = file.read(MARKED_BYTES)
        file.seek(max(0, path.stat().st_size - MARKED_BYTES))
        return mark.encode() in b"\n" + beginning or mark.encode() in file.read()


def mark_of_table(columns: Iterable[str]) -> str:
    r"""Return what tells a CSV file with these columns: its header, no more and no less.

    >>> mark_of_table(["customer_id", "segment_key"])
    '\ncustomer_id,segment_key\n'
    """
    return f"\n{','.join(columns)}\n"


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file: by links, or names that the file system takes as one."""
    try:
        return one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()
