"""Whether a file is text, and whether the engine's reader can be trusted with it as it is.

The file is scanned once, in portions, by operations on whole portions: memory stays bounded and no
line is looked at one by one.
"""

from __future__ import annotations

import codecs
import errno
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

import numpy as np

from mall_segments.errors import InputRefusedError
from mall_segments.intake.dialect import LARGEST_FIELD, WHITE_SPACE
from mall_segments.intake.hints import kind_of_binary, place_of_nothing, printable

PREFIX_BYTES = 1 << 20
PORTION_BYTES = 1 << 23
PARQUET_MAGIC = b"PAR1"
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
BLANK = WHITE_SPACE + "\ufeff"
LONGEST_LINE_BYTES = 1 << 20
QUOTE, NEW_LINE = ord('"'), ord("\n")
IS_BOUNDARY = np.zeros(256, dtype=bool)
IS_BOUNDARY[list(b',;\t\r\n"')] = True
SAVE_AS_UTF8 = "Save it as UTF-8: in a spreadsheet, choose 'CSV UTF-8' as the format."

Progress = Callable[[int], None]


def read_prefix(path: Path) -> bytes:
    """Return the first bytes of a file, or refuse a file that holds no table.

    Raises
    ------
    InputRefusedError
        FILE_NOT_FOUND, FILE_NOT_READABLE, ENCODING_UTF16, LFS_POINTER or HTML.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise InputRefusedError(
            "FILE_NOT_READABLE",
            f"The name of {printable(path)} is not UTF-8.",
            "Rename the file, or its folder.",
        ) from None
    try:
        if path.is_dir():
            raise OSError(errno.EISDIR, "it is a folder, expected a file")
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is not a file")
        with path.open("rb") as file:
            prefix = file.read(PREFIX_BYTES)
    except FileNotFoundError:
        raise InputRefusedError("FILE_NOT_FOUND", *place_of_nothing(path)) from None
    except OSError as error:
        raise InputRefusedError(
            "FILE_NOT_READABLE",
            f"{path} cannot be read: {error.strerror}.",
            "Name a file that you may read.",
        ) from None
    if binary := kind_of_binary(prefix):
        kind, advice = binary
        code = "NUL_BYTE" if b"\0" in prefix else "ENCODING_NOT_UTF8"
        raise InputRefusedError(code, f"The file is {kind}, expected text.", advice, line=1)
    if _is_utf16(prefix):
        raise InputRefusedError(
            "ENCODING_UTF16", "The file is UTF-16, expected UTF-8.", SAVE_AS_UTF8
        )
    text = prefix.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(LFS_POINTER):
        raise InputRefusedError(
            "LFS_POINTER",
            "The file is a Git LFS pointer, not the data it points to.",
            "Fetch the data: git lfs pull.",
            line=1,
        )
    if text.startswith(b"<"):
        raise InputRefusedError(
            "HTML",
            "The file is a web page, not a table.",
            "Download the raw file instead of the page that shows it.",
            line=1,
        )
    return prefix


class Layout(Enum):
    """How far the engine's reader can be trusted with a text file as it is.

    It can where line ends are all LF or all CRLF, no blank line stands between the records, every
    quote opens and closes a field on one line, and no line is endless.
    """

    REGULAR = "the engine may read it"
    MIXED_LINE_ENDS = "its line ends have to be made one first"
    IRREGULAR = "only a strict reader, record by record, gets it right"


def scan_text(path: Path, progress: Progress | None = None) -> Layout:
    """Check every byte of a text file.

    Parameters
    ----------
    path : Path
    progress : callable, optional
        Told the number of bytes after each portion.

    Raises
    ------
    InputRefusedError
        EMPTY_FILE, NUL_BYTE or ENCODING_NOT_UTF8.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_blank, is_regular, ended_blank, offset = True, True, False, 0
    carriage_returns = line_feeds = pairs = 0
    for portion in _portions(path):
        _refuse_nul(path, portion, offset)
        _refuse_other_encodings(path, decoder, portion, offset)
        carriage_returns += portion.count(b"\r")
        line_feeds += portion.count(b"\n")
        pairs += portion.count(b"\r\n")
        is_regular = is_regular and not ended_blank and _is_regular(portion)
        ended_blank = portion.endswith((b"\n\n", b"\n\r\n"))
        is_blank = is_blank and not portion.decode(errors="ignore").strip(BLANK)
        offset += len(portion)
        if progress:
            progress(len(portion))
    _refuse_other_encodings(path, decoder, b"", offset)
    if is_blank:
        raise InputRefusedError(
            "EMPTY_FILE", "The file holds nothing but white space.", "Name a file with customers."
        )
    if carriage_returns and not carriage_returns == line_feeds == pairs:
        return Layout.MIXED_LINE_ENDS
    return Layout.REGULAR if is_regular else Layout.IRREGULAR


def with_line_feeds(path: Path, folder: Path) -> Path:
    """Return a copy of a text file in a folder, with every line end a line feed."""
    copy = folder / "line_feeds.csv"
    with copy.open("wb") as file:
        held = b""
        for portion in _portions(path):
            whole = held + portion
            held = b"\r" if whole.endswith(b"\r") else b""
            text = whole[: len(whole) - len(held)]
            file.write(text.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        file.write(b"\n" if held else b"")
    return copy


def _portions(path: Path) -> Iterator[bytes]:
    """Yield the file in portions that end with a line, or anywhere in a line beyond all measure."""
    with path.open("rb") as file:
        while portion := file.read(PORTION_BYTES):
            yield portion + file.readline(LONGEST_LINE_BYTES)


def _is_regular(portion: bytes) -> bool:
    body = portion.rstrip(b"\r\n")
    if portion.startswith((b"\n", b"\r\n")) or b"\n\n" in body or b"\n\r\n" in body:
        return False
    ends = np.flatnonzero(np.frombuffer(portion, dtype=np.uint8) == NEW_LINE)
    lengths = np.diff(ends, prepend=-1, append=len(portion))
    if lengths.max() > LARGEST_FIELD:
        return False
    return b'"' not in portion or _quotes_enclose_fields(portion)


def _quotes_enclose_fields(portion: bytes) -> bool:
    """Return whether quotes stand only around fields, doubled inside, on one line each."""
    content = np.frombuffer(portion, dtype=np.uint8)
    quotes = np.flatnonzero(content == QUOTE)
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = content[opening - 1]
    before[opening == 0] = NEW_LINE
    after = content[np.minimum(closing + 1, len(content) - 1)]
    after[closing == len(content) - 1] = NEW_LINE
    lines = np.flatnonzero(content == NEW_LINE)
    same_line = np.searchsorted(lines, opening) == np.searchsorted(lines, closing)
    return bool(IS_BOUNDARY[before].all() and IS_BOUNDARY[after].all() and same_line.all())


def _is_utf16(prefix: bytes) -> bool:
    """Return whether text starts with a UTF-16 mark, or about every second byte of it is NUL."""
    sample = prefix[:1024]
    fewer, more = sorted((sample[::2].count(0), sample[1::2].count(0)))
    return prefix.startswith(UTF16_MARKS) or (more * 4 > len(sample) and fewer * 10 < more)


def _refuse_nul(path: Path, portion: bytes, offset: int) -> None:
    position = portion.find(b"\0")
    if position >= 0:
        raise InputRefusedError(
            "NUL_BYTE",
            "The file holds a NUL byte, which no text does.",
            "Export it again; the file is damaged or not text.",
            line=_line_at(path, offset + position),
        )


def _refuse_other_encodings(
    path: Path, decoder: codecs.IncrementalDecoder, portion: bytes, offset: int
) -> None:
    pending = len(decoder.getstate()[0])
    if portion.isascii() and portion and not pending:
        return
    try:
        decoder.decode(portion, final=not portion)
    except UnicodeDecodeError as error:
        raise InputRefusedError(
            "ENCODING_NOT_UTF8",
            "The file holds bytes that are not UTF-8.",
            SAVE_AS_UTF8,
            line=_line_at(path, offset - pending + error.start),
        ) from None


def _line_at(path: Path, offset: int) -> int:
    lines, last = 1, b""
    with path.open("rb") as file:
        while offset > 0 and (portion := file.read(min(PORTION_BYTES, offset))):
            offset -= len(portion)
            lines += portion.count(b"\n") + portion.count(b"\r") - portion.count(b"\r\n")
            lines -= last == b"\r" and portion.startswith(b"\n")
            last = portion[-1:]
    return lines
