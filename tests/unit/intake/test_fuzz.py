"""No input of any bytes makes a stack trace. INTAKE_FUZZ_INPUTS sets how many are tried."""

import io
import json
import os
import random

import pytest
from rich.console import Console

from mall_segments.errors import InputRefusedError
from mall_segments.intake.dialect import sniff_dialect, strict_reader
from mall_segments.intake.file_bytes import PREFIX_BYTES, Layout, read_prefix, scan_text
from mall_segments.intake.report import as_object, print_inspection
from mall_segments.intake.text_rows import rows_of_irregular_file, rows_of_regular_file
from tests.unit.conftest import SEED

INPUTS = int(os.environ.get("INTAKE_FUZZ_INPUTS", "400"))
PIECES = [
    b'"', b'""', b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\n\n", b" ", b"\0", b"\xff", b"\xc3",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xc2\xa0", b"\xe2\x80\xa8", b"\x85", b"\x1a", b"\x01\x02",
    b"NaN", b"inf", b"-", b"??", b"1e5", b"9" * 60, b"0.0", b".", b"=1+1", b"'", b"\\", b"#",
    b"<html>", b"Age", b"CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)\n",
    b"201,Female,30,40,50\n", b"5,Female,31,17,40\n", b"a,b\n", b",,,,\n", b"x" * 5_000,
    b'"F\rM"', b'"\r"', b'"F\nM"', "\u3000".encode(), b"\x1c,,,,", "\u00a0,,,,\n".encode(), b"[/b]",
]  # fmt: skip


def mutated(chance, content):
    data = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 3, 8, 40])):
        start = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            data[start:start] = chance.choice(PIECES)
        elif kind == 1:
            del data[start : start + chance.choice([1, 1, 2, 10, 500])]
        elif kind == 2:
            data[start : start + 1] = bytes([chance.randrange(256)])
        elif kind == 3:
            data[start:start] = data[: chance.randrange(200)]
        elif kind == 4:
            old, new = chance.sample([b",", b";", b"\t", b"\n", b"\r", b"\r\n", b'"', b" "], 2)
            data = data.replace(old, new, chance.choice([1, 5, -1]))
        else:
            data = data[start:] if chance.random() < 0.2 else data[: len(data) - start // 4]
    return bytes(data)


def random_input(chance, canonical):
    kind = chance.randrange(10)
    if kind == 0:
        return chance.randbytes(chance.randrange(3_000))
    if kind == 1:
        return b"".join(chance.choices(PIECES, k=chance.randrange(300)))
    if kind == 2:
        header = canonical[: canonical.index(b"\n") + 1]
        return header + b"".join(chance.choices(PIECES, k=chance.randrange(300)))
    if kind == 3:
        return mutated(chance, canonical.decode().encode(chance.choice(["utf-16", "utf-8-sig"])))
    return mutated(chance, canonical)


def records_below_the_header(content):
    dialect = sniff_dialect(content[:PREFIX_BYTES], {})
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return sum(
        last > dialect.header_line and any(field.strip() for field in record)
        for _, last, record in strict_reader(text, dialect.delimiter)
    )


@pytest.mark.parametrize("seed", range(8))
def test_every_input_ends_in_build_or_refuse(inspect, seed):
    chance = random.Random(seed)
    canonical = SEED.read_bytes()
    for _ in range(INPUTS // 8):
        content = random_input(chance, canonical)
        inspection = inspect(content)
        tally, error = inspection.tally, inspection.error
        print_inspection("file", inspection, error, Console(file=io.StringIO()))
        json.dumps(as_object(inspection, error))
        if error is None:
            assert tally is not None, content
        else:
            assert error.code.isupper(), content
            assert error.hint, content
        if tally is not None:
            assert tally.rows_read == tally.rows_accepted + tally.rows_quarantined, content
            assert tally.rows_read == records_below_the_header(content), content


@pytest.mark.parametrize("seed", range(8))
def test_the_engine_reads_regular_files_as_the_strict_reader_does(session, tmp_path, seed):
    chance = random.Random(1_000 + seed)
    canonical = SEED.read_bytes()
    path = tmp_path / "customers.csv"
    compared = 0
    while compared < INPUTS // 40:
        content = mutated(chance, canonical)
        path.write_bytes(content)
        try:
            dialect = sniff_dialect(read_prefix(path), {})
            if scan_text(path) is not Layout.REGULAR:
                continue
        except InputRefusedError:
            continue
        compared += 1
        regular = rows_of_regular_file(session, path, dialect).order("line_number").fetchall()
        strict = rows_of_irregular_file(session, path, dialect).order("line_number").fetchall()
        assert regular == strict, content
