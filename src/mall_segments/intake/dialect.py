"""Where the header of a text table stands, and what separates its fields."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mall_segments.errors import InputRefusedError, MissingColumnError
from mall_segments.intake.header import FIELDS, Header, fields_named, resolve_header, twins
from mall_segments.intake.hints import is_json, why_no_header

DELIMITERS = (",", ";", "\t")
HEADER_RECORDS = 10
# Lines in which a header that stands too far down is looked for, to say so.
LATE_LINES = 1_000
LARGEST_FIELD = 1 << 17
# What str.strip() strips: every reader here agrees on what is blank.
WHITE_SPACE = "".join(filter(str.isspace, map(chr, range(sys.maxunicode + 1))))


@dataclass(frozen=True)
class Dialect:
    """How to read the records of a text table.

    Attributes
    ----------
    delimiter : str
    names : every column of the header, in order
    header : which of them hold the fields of a customer
    header_line : line on which the header ends, counted from 1
    preamble : records above the header, as text
    """

    delimiter: str
    names: tuple[str, ...]
    header: Header
    header_line: int
    preamble: tuple[str, ...]

    @property
    def positions(self) -> tuple[int, ...]:
        """Position of each field of FIELDS among the columns."""
        return tuple(self.names.index(self.header.columns[field]) for field in FIELDS)


def sniff_dialect(prefix: bytes, aliases: Mapping[str, Sequence[str]]) -> Dialect:
    """Find the first of the first records that names all five columns.

    Parameters
    ----------
    prefix : bytes
        The beginning of the file.
    aliases : mapping of field to names that a user adds

    Raises
    ------
    MissingColumnError
        If no record names them all; it reports the record that names most.
    AmbiguousColumnError
        If the header names a field twice.
    InputRefusedError
        MALFORMED_CSV, if a quote goes wrong before any header.
    """
    text = prefix.decode("utf-8-sig", errors="replace")
    best: tuple[int, list[str]] = (-1, [])
    malformed: list[int] = []
    for delimiter in DELIMITERS:
        preamble: list[str] = []
        try:
            for line, record in _first_records(text, delimiter):
                named = fields_named(record, aliases)
                if len(named) == len(FIELDS):
                    header = resolve_header(record, aliases)
                    return Dialect(delimiter, tuple(record), header, line, tuple(preamble))
                if len(named) > best[0]:
                    best = len(named), record
                preamble.append(delimiter.join(record))
        except csv.Error as error:
            malformed.append(int(str(error)))
    if best[0] < 1 and malformed:
        raise malformed_csv(min(malformed))
    missing = [field for field in FIELDS if field not in fields_named(best[1], aliases)]
    late = _line_of_late_header(text, aliases)
    hint = why_no_header(text, best[1], late)
    # What JSON begins with are values.
    names = [] if is_json(text) else best[1]
    raise MissingColumnError(missing, names, twins(missing, names, aliases), hint)


def _line_of_late_header(text: str, aliases: Mapping[str, Sequence[str]]) -> int | None:
    """Return the line of the first line that names all columns, wherever it stands."""
    late = text.splitlines()[HEADER_RECORDS:LATE_LINES]
    for line, record in enumerate(late, start=HEADER_RECORDS + 1):
        for delimiter in DELIMITERS:
            names = [name.strip(' "') for name in record.split(delimiter)]
            if len(names) >= len(FIELDS) and len(fields_named(names, aliases)) == len(FIELDS):
                return line
    return None


def strict_reader(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield (first line, last line, fields) of each record.

    Raises
    ------
    csv.Error
        Whose text is the number of the line on which the malformed record starts.
    """
    csv.field_size_limit(LARGEST_FIELD)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    first = 1
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise csv.Error(str(first)) from None
        yield first, reader.line_num, record
        first = reader.line_num + 1


def malformed_csv(line: int) -> InputRefusedError:
    """Return the refusal of a file with a quote that goes wrong."""
    return InputRefusedError(
        "MALFORMED_CSV",
        'A quoted field never closes, goes on after its closing quote ("), or has no end in sight.',
        'Double a quote inside a quoted field (""), or remove it.',
        line=line,
    )


def _first_records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    found = 0
    for _, last, record in strict_reader(io.StringIO(text, newline=""), delimiter):
        if any(field.strip() for field in record):
            found += 1
            yield last, record
        if found == HEADER_RECORDS:
            return
