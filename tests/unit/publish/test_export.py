import csv
import hashlib
import json
import os
import shutil

import duckdb
import pytest

from mall_segments.errors import NotBuiltError
from mall_segments.outputs import NotOursError
from mall_segments.publish.export import KEPT_EXPORTS, NotALinkError, export_marts

IDS = ["1", "=1+1", "+2", "-3", "@sum", "\t4", "a-b"]


@pytest.fixture
def published(tmp_path):
    """Publish a build by its id into a file, and return the file."""

    def published(build_id="one"):
        path = tmp_path / "mall.duckdb"
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as connection:
            connection.execute("create schema marts")
            connection.execute(
                f"create table marts.segmentation_quality as select '{build_id}' as build_id"
            )
            connection.execute(
                "create table marts.customers as select unnest(?) as customer_id, -1.5 as score",
                [IDS],
            )
        return path

    return published


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_every_mart_is_a_file_that_the_contents_describe(published, tmp_path, file_format):
    export = export_marts(published(), tmp_path / "exports", file_format)
    assert export.rows == {"customers": len(IDS), "segmentation_quality": 1}
    contents = json.loads((export.pointer / "contents.json").read_text())
    assert contents["build_id"] == "one"
    for mart, entry in contents["marts"].items():
        path = export.pointer / f"{mart}.{file_format}"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
        assert len(duckdb.sql(f"from '{path}'")) == entry["rows"]
        assert duckdb.sql(f"from '{path}'").columns == entry["columns"]


def test_parquet_keeps_what_csv_makes_harmless(published, tmp_path):
    parquet = export_marts(published(), tmp_path / "parquet", "parquet")
    rows = duckdb.sql(f"from '{parquet.folder}/customers.parquet'").fetchall()
    assert [row[0] for row in rows] == IDS
    assert parquet.escaped_values == 0
    as_csv = export_marts(published(), tmp_path / "csv", "csv")
    with (as_csv.folder / "customers.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert [row[0] for row in rows] == ["1", "'=1+1", "'+2", "'-3", "'@sum", "'\t4", "a-b"]
    assert {row[1] for row in rows} == {"-1.5"}
    assert as_csv.escaped_values == 5


def test_the_pointer_moves_to_the_newest_and_few_are_kept(published, tmp_path):
    exports = tmp_path / "exports"
    for number in range(KEPT_EXPORTS + 3):
        export = export_marts(published(f"build-{number}"), exports, "parquet")
        assert export.pointer.resolve() == export.folder.resolve()
    folders = {path.name for path in exports.iterdir()} - {"current"}
    assert folders == {f"build-{number}" for number in range(2, KEPT_EXPORTS + 3)}


def test_the_same_build_is_exported_once(published, tmp_path):
    first = export_marts(published(), tmp_path / "exports", "parquet")
    written = (first.folder / "customers.parquet").stat().st_mtime_ns
    again = export_marts(published(), tmp_path / "exports", "parquet")
    assert (again.folder / "customers.parquet").stat().st_mtime_ns == written


def test_an_export_that_fails_leaves_the_one_before(published, tmp_path, monkeypatch):
    exports = tmp_path / "exports"
    export_marts(published("one"), exports, "parquet")

    def fail(_path):
        raise OSError

    monkeypatch.setattr("mall_segments.publish.export.sync_file", fail)
    with pytest.raises(OSError):  # noqa: PT011 - the one that is raised above
        export_marts(published("two"), exports, "parquet")
    assert (exports / "current").resolve().name == "one"
    assert {path.name for path in exports.iterdir()} == {"one", "current"}


def test_a_folder_in_the_place_of_the_link_is_named_and_nothing_is_left(published, tmp_path):
    exports = tmp_path / "exports"
    export_marts(published("one"), exports, "parquet")
    copy = tmp_path / "copy"
    shutil.copytree(exports, copy)
    # What an earlier version left at every try.
    (copy / ".partial-current-77").symlink_to("one")
    before = sorted(path.name for path in copy.iterdir())
    for _ in range(2):
        with pytest.raises(NotALinkError, match="current is a folder, expected a link") as caught:
            export_marts(published("two"), copy, "parquet")
    assert (caught.value.code, caught.value.exit_code) == ("NOT_A_LINK", 2)
    assert sorted(path.name for path in copy.iterdir()) == before
    shutil.move(copy / "current", tmp_path / "away")
    export_marts(published("two"), copy, "parquet")
    assert sorted(path.name for path in copy.iterdir()) == ["current", "one", "two"]


def test_what_others_put_into_the_folder_stays(published, tmp_path):
    exports = tmp_path / "exports"
    theirs = exports / "theirs"
    theirs.mkdir(parents=True)
    (theirs / "contents.json").write_text('{"build_id": "else", "marts": {}}')
    os.utime(theirs, (0, 0))
    for number in range(KEPT_EXPORTS + 3):
        export_marts(published(f"build-{number}"), exports, "csv")
    assert (theirs / "contents.json").exists()
    (exports / "next").mkdir()
    with pytest.raises(NotOursError, match="next is there already"):
        export_marts(published("next"), exports, "csv")
    (exports / "current").unlink()
    (exports / "current").symlink_to(tmp_path)
    with pytest.raises(NotOursError, match="current is there already"):
        export_marts(published("last"), exports, "csv")
    assert (exports / "current").resolve() == tmp_path


def test_a_file_in_the_place_of_the_folder_stays(published, tmp_path):
    (tmp_path / "exports").write_text("mine")
    for folder in (tmp_path / "exports", tmp_path / "exports" / "csv"):
        with pytest.raises(NotOursError, match="exports is there already"):
            export_marts(published(), folder, "csv")
    assert (tmp_path / "exports").read_text() == "mine"


@pytest.mark.parametrize("content", [None, b"no database" * 1_000])
def test_without_a_published_build_there_is_nothing_to_export(tmp_path, content):
    path = tmp_path / "mall.duckdb"
    if content:
        path.write_bytes(content)
    with pytest.raises(NotBuiltError, match="no published build"):
        export_marts(path, tmp_path / "exports", "parquet")
