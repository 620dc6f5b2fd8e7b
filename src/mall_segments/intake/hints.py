"""What a file is that is no table of customers, and what helps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

# The first bytes of what people take for a CSV file, what it is, and what to do with it.
MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (
        b"PK\x03\x04",
        "an Excel workbook or a zip archive",
        "Save the sheet as CSV UTF-8, or unzip the archive, and name that file.",
    ),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel workbook",
        "Save the sheet as CSV UTF-8, and name that file.",
    ),
    (b"\x1f\x8b", "compressed by gzip", "Unpack it first: gunzip."),
    (b"BZh", "compressed by bzip2", "Unpack it first: bunzip2."),
    (b"\xfd7zXZ\x00", "compressed by xz", "Unpack it first: unxz."),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "Unpack it first: unzstd."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it first."),
    (b"Rar!", "a RAR archive", "Unpack it first."),
    (b"%PDF", "a PDF document", "Export the table behind it as CSV."),
    (b"SQLite format 3\x00", "a SQLite database", "Export its table of customers as CSV."),
    (
        b"ARROW1",
        "an Arrow or Feather file",
        "Write it as Parquet or CSV.",
    ),
)
# A DuckDB file has its mark after a checksum.
DUCKDB_MARK = slice(8, 12), b"DUCK"
OTHER_DELIMITERS = "|^~:"
ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/{1,2}[^/]", re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"\d,\d{1,2}\b")


def kind_of_binary(prefix: bytes) -> tuple[str, str] | None:
    """Return what a file that starts so is, and what to do; None for what may be text."""
    place, mark = DUCKDB_MARK
    if prefix[place] == mark:
        return "a DuckDB database", "Attach it, and name its table: customers_relation."
    for magic, kind, advice in MAGIC:
        if prefix.startswith(magic):
            return kind, advice
    return None


def place_of_nothing(path: Path) -> tuple[str, str]:
    """Return what is wrong with a path where there is no file, and what to do.

    >>> place_of_nothing(Path("https:/example.com/customers.csv"))[1]
    'It is an address, not a file: download it first, and name the copy.'
    """
    if ADDRESS.match(str(path)):
        return (
            f"There is no file {printable(path)}.",
            "It is an address, not a file: download it first, and name the copy.",
        )
    missing = [parent for parent in path.parents if not parent.exists()]
    if missing:
        return (
            f"There is no file {printable(path)}: there is no folder {printable(missing[-1])}.",
            "Check the path; it is relative to the folder you work in.",
        )
    return (
        f"There is no file {printable(path)}.",
        "Check the path; it is relative to the folder you work in.",
    )


def why_no_header(text: str, best: Sequence[str], line_of_late_header: int | None) -> str | None:
    """Return what helps where no record names the five columns, beside another alias.

    Parameters
    ----------
    text : str
        The beginning of the file.
    best : fields of the record that names most columns
    line_of_late_header : line of a record that names them all, but stands too far down
    """
    if line_of_late_header:
        return (
            f"A header stands on line {line_of_late_header}, expected among the first ten records: "
            "remove the lines above it."
        )
    start = text.lstrip("\ufeff \t\r\n")
    if is_json(text):
        return "The file is JSON, not a table: write it as CSV or Parquet."
    if len([field for field in best if field.strip()]) > 1:
        return None
    record = start.splitlines()[0] if start else ""
    # A record that is quoted as a whole is one field.
    inner = best[0] if best else record
    for delimiter in ",;\t":
        if inner.count(delimiter) >= 3 and record.startswith('"'):
            return (
                "Each record stands in one pair of quotes, so it is one field: export the file "
                "again without quotes around whole lines."
            )
    for delimiter in OTHER_DELIMITERS:
        if inner.count(delimiter) >= 3:
            return (
                f"There is one column, with {delimiter!r} in it: expected a comma, semicolon or "
                "tab between columns. Export the file again with one of these."
            )
    return "There is one column, expected a comma, semicolon or tab between columns."


def is_json(text: str) -> bool:
    """Tell text that begins like an object or an array."""
    return text.lstrip("\ufeff \t\r\n").startswith(("{", "["))


def what_to_do(reasons: Sequence[str], examples: dict[str, str], share: float) -> str:
    """Return what helps where too many rows are refused.

    Parameters
    ----------
    reasons : reasons of the rows, the most frequent first
    examples : a value that was refused, by reason
    share : share of the rows that are refused
    """
    advice = []
    shown = [examples[reason] for reason in reasons if reason in examples]
    if any(DECIMAL_COMMA.search(value) for value in shown):
        advice.append("Write decimals with a point: 15.00, not 15,00.")
    elif any(re.search(r"[$€£]|\d[, ']\d{3}", value) for value in shown):
        advice.append("Write numbers without currency signs and thousands separators.")
    if "field_count" in reasons:
        advice.append(
            "Every row needs as many fields as the header: spreadsheets leave out empty cells at "
            "the end of rows, and end rows with a delimiter too many."
        )
    if not advice:
        advice.append("Correct the rows.")
    if share <= 0.5:
        advice.append("If these rows may be left out, raise max_rejected_share.")
    return " ".join(advice)


def code_points(name: str) -> str:
    """Return a name with the code points of its letters, for names that look the same.

    >>> code_points("Né")
    "'Né' (U+004E U+00E9)"
    """
    points = " ".join(f"U+{ord(letter):04X}" for letter in name)
    return f"{name!r} ({points})"


def printable(path: Path) -> str:
    """Return a path as text that any terminal and any log can write."""
    return str(path).encode("utf-8", "backslashreplace").decode()
