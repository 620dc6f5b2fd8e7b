import os

import pytest

from mall_segments.errors import InputRefusedError
from mall_segments.intake.file_bytes import Layout, read_prefix, scan_text, with_line_feeds

ROW = b"1,Male,19,15,39\n"


@pytest.fixture
def file(tmp_path):
    def file(content):
        path = tmp_path / "customers.csv"
        path.write_bytes(content)
        return path

    return file


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("a,b\n".encode("utf-16"), "ENCODING_UTF16"),
        ("customer id,age\n1,2\n".encode("utf-16-le"), "ENCODING_UTF16"),
        ("customer id,age\n1,2\n".encode("utf-16-be"), "ENCODING_UTF16"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "LFS_POINTER"),
        (b"\xef\xbb\xbf \n<!DOCTYPE html><html>", "HTML"),
    ],
)
def test_what_is_no_table_is_told_by_its_beginning(file, content, code):
    with pytest.raises(InputRefusedError) as caught:
        read_prefix(file(content))
    assert caught.value.code == code


def test_a_path_without_a_file_is_named(tmp_path):
    with pytest.raises(InputRefusedError, match="FILE_NOT_FOUND: There is no file"):
        read_prefix(tmp_path / "nothing.csv")
    with pytest.raises(InputRefusedError, match="FILE_NOT_READABLE"):
        read_prefix(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputRefusedError, match="it is not a file"):
        read_prefix(tmp_path / "pipe")


@pytest.mark.parametrize(
    "content", [b"", b" \r\n\t\n", b"\xef\xbb\xbf\n", "\u00a0\u3000\n".encode()]
)
def test_white_space_is_an_empty_file(file, content):
    with pytest.raises(InputRefusedError, match="EMPTY_FILE"):
        scan_text(file(content))


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (ROW + b"2,\0,3\n", "NUL_BYTE", 2),
        (b"\0" * 100, "NUL_BYTE", 1),
        (ROW + ROW + b"2,M\xe4nnlich,3\n", "ENCODING_NOT_UTF8", 3),
        (ROW.replace(b"\n", b"\r") * 4 + b"\xff", "ENCODING_NOT_UTF8", 5),
        (ROW + b"trailing \xc3", "ENCODING_NOT_UTF8", 2),
    ],
)
def test_damage_anywhere_is_refused_with_its_line(file, content, code, line):
    path = file(content)
    read_prefix(path)
    with pytest.raises(InputRefusedError) as caught:
        scan_text(path)
    assert (caught.value.code, caught.value.line) == (code, line)


def test_a_character_across_portions_is_whole(file, monkeypatch):
    monkeypatch.setattr("mall_segments.intake.file_bytes.PORTION_BYTES", 3)
    monkeypatch.setattr("mall_segments.intake.file_bytes.LONGEST_LINE_BYTES", 2)
    scan_text(file("aä€𝄞\n".encode() * 3))
    with pytest.raises(InputRefusedError, match="ENCODING_NOT_UTF8"):
        scan_text(file("aä€𝄞\n".encode()[:-2] + b"\n"))


@pytest.mark.parametrize(
    "content",
    [
        ROW * 3,
        ROW.rstrip(),
        ROW.replace(b"\n", b"\r\n") * 3,
        ROW + b"\n\n",
        b'"1","Male",19,15,"3 "" 9"\n' * 2,
        b'"1";"a,b";""\n',
    ],
)
def test_regular_files_are_left_to_the_engine(file, content):
    assert scan_text(file(content)) is Layout.REGULAR


@pytest.mark.parametrize(
    "content",
    [
        ROW + b"\n" + ROW,
        b"x" * (1 << 18),
        ROW.replace(b"\n", b"\r\n\r\n") * 2,
        b'1,"two\nlines",3\n',
        b'1,5" pipe,3\n',
        b'1, "padded",3\n',
        b'1,"closed"late,3\n',
        b'1,"never closed,3\n',
        b'1,"never\n2,closed"\n',
    ],
)
def test_irregular_files_are_not(file, content):
    assert scan_text(file(content)) is Layout.IRREGULAR


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize(
    "content",
    [
        ROW.replace(b"\n", b"\r") * 3,
        ROW + ROW.replace(b"\n", b"\r\n"),
        ROW.replace(b"\n", b"\n\r") * 3,
        b'"two\rlines"\n',
    ],
)
def test_mixed_line_ends_are_made_one(file, tmp_path, monkeypatch, content, size):
    monkeypatch.setattr("mall_segments.intake.file_bytes.PORTION_BYTES", size)
    monkeypatch.setattr("mall_segments.intake.file_bytes.LONGEST_LINE_BYTES", size)
    path = file(content)
    assert scan_text(path) is Layout.MIXED_LINE_ENDS
    made_one = with_line_feeds(path, tmp_path).read_bytes()
    assert made_one == content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def test_progress_counts_every_byte(file):
    seen = []
    scan_text(file(ROW * 10), seen.append)
    assert sum(seen) == 10 * len(ROW)
