"""Nothing of the user's is overwritten, by whatever name it is reached."""

import os

import duckdb
import pytest
from click.testing import CliRunner

from mall_segments.cli import main

MINE = "CustomerID,Gender,Age,Annual Income,Spending Score,Mail\n" + "".join(
    f"{number},Female,{20 + number},{30 + number},{40 + number},{number}@example.com\n"
    for number in range(1, 21)
)
# Its last row is no customer.
WITH_REFUSED = MINE + "21,Male,x,50,50,21@example.com\n"


@pytest.fixture
def run(first_build, tmp_path, monkeypatch):
    """Run a command in a folder with files of the user; with a code, nothing may change."""
    monkeypatch.chdir(tmp_path)
    files = ("--warehouse", first_build.warehouse, "--published", first_build.published)
    places = {"score": files, "report": ("--database", first_build.published)}

    def run(command, *arguments, code=None):
        before = contents(tmp_path)
        words = [command, *arguments, *places[command]]
        result = CliRunner().invoke(main, list(map(str, words)))
        if code is None:
            assert result.exit_code == 0, result.output
        else:
            assert (result.exit_code, code in result.stderr) == (2, True), result.output
            assert contents(tmp_path) == before
        return result.output

    return run


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_score_does_not_write_over_what_it_reads(run, tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_text(WITH_REFUSED)
    (tmp_path / "link.csv").symlink_to(mine)
    os.link(mine, tmp_path / "hard.csv")
    os.link(mine, tmp_path / "x.rejected.csv")
    for output in ("mine.csv", "link.csv", "hard.csv", "x.csv"):
        run("score", "mine.csv", "--to", output, code="SAME_PLACE: The input and the output are")


def test_score_does_not_write_over_what_others_wrote(run, tmp_path):
    (tmp_path / "new.csv").write_text(WITH_REFUSED)
    (tmp_path / "mine.csv").write_text(MINE)
    (tmp_path / "mine.parquet").write_text(MINE)
    (tmp_path / "out.rejected.csv").write_text(MINE)
    (tmp_path / "folder.csv").mkdir()
    for output in ("mine.csv", "mine.parquet", "out.csv", "folder.csv"):
        run("score", "new.csv", "--to", output, code="NOT_OURS")
    run("score", "new.csv", "--to", "nodir/out.csv", code="NO_FOLDER: There is no folder nodir.")
    run("score", "new.csv", "--to", "out.txt", code="OUTPUT_FORMAT")


def test_score_replaces_what_it_wrote_and_takes_a_stale_file_away(run, tmp_path):
    (tmp_path / "new.csv").write_text(WITH_REFUSED)
    (tmp_path / "clean.csv").write_text(MINE)
    for output in ("out.csv", "out.parquet", "OUT2.CSV"):
        for source in ("new.csv", "new.csv", "clean.csv"):
            said = run("score", source, "--to", output)
            assert "20 customers in" in said
            rejected = (tmp_path / output).with_suffix(".rejected.csv")
            assert rejected.exists() == (source == "new.csv")
        assert duckdb.sql(f"select count(*) from '{output}'").fetchall() == [(20,)]
    (tmp_path / "out.rejected.csv").write_text(MINE)
    run("score", "clean.csv", "--to", "out.csv")
    assert (tmp_path / "out.rejected.csv").read_text() == MINE
    assert {path.name for path in tmp_path.iterdir()} == {
        "new.csv",
        "clean.csv",
        "out.csv",
        "out.parquet",
        "OUT2.CSV",
        "out.rejected.csv",
    }


def test_score_writes_through_a_link(run, tmp_path):
    (tmp_path / "clean.csv").write_text(MINE)
    (tmp_path / "share").mkdir()
    (tmp_path / "out.csv").symlink_to("share/scored.csv")
    (tmp_path / "share" / "scored.csv").write_text("id\n")
    run("score", "clean.csv", "--to", "out.csv", code="NOT_OURS")
    (tmp_path / "share" / "scored.csv").unlink()
    run("score", "clean.csv", "--to", "share/scored.csv")
    run("score", "clean.csv", "--to", "out.csv")
    assert (tmp_path / "out.csv").is_symlink()


def test_report_does_not_write_over_what_others_wrote(run, tmp_path):
    (tmp_path / "mine.csv").write_text(MINE)
    (tmp_path / "mine.html").write_text("<!doctype html><title>Customer segments</title>")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "map.svg").write_text("<svg/>")
    run("report", "--to", "mine.csv", code="OUTPUT_FORMAT")
    run("report", "--to", "new", code="OUTPUT_FORMAT")
    run("report", "--to", "mine.html", code="NOT_OURS")
    run("report", "--to", "new.html", "--pictures", "pictures", code="NOT_OURS")
    run("report", "--to", "new.html", "--pictures", "mine.csv", code="NOT_OURS")


def test_report_replaces_what_it_wrote(run, tmp_path):
    for _ in range(2):
        run("report", "--to", "new/report.HTM", "--pictures", "new/pictures")
    pictures = sorted((tmp_path / "new" / "pictures").iterdir())
    assert len(pictures) > 20
    assert {path.suffix for path in pictures} == {".png", ".svg"}
