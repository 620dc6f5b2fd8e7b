import duckdb
import pytest
from click.testing import CliRunner

from mall_segments.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, arguments)


def test_a_database_that_is_not_there_is_named(run):
    result = run("segments", "--database", "nowhere.duckdb")
    assert result.exit_code == 2
    assert result.stderr == (
        "NOT_BUILT: There is no database at nowhere.duckdb.\n"
        "Run mall-segments build first, or name the file: --database.\n"
    )


def test_a_database_without_segments_is_named(run):
    duckdb.connect("dev.duckdb").close()
    result = run("segments", "--database", "dev.duckdb")
    assert result.exit_code == 2
    assert "dev.duckdb holds no segments." in result.stderr


def test_a_file_that_is_no_database_is_named(run, tmp_path):
    (tmp_path / "notes.txt").write_text("no database" * 1_000)
    result = run("segments", "--database", "notes.txt")
    assert result.exit_code == 2
    assert "NOT_BUILT: notes.txt cannot be read" in result.stderr


@pytest.mark.parametrize("name", ["x" * 5_000, "[/red].csv", "."])
def test_inspect_survives_any_path(run, name):
    assert run("inspect", name).exit_code == 2


def test_inspect_shows_names_as_they_are(run, tmp_path):
    header = "ID,Genre,Age,Annual Income [k$],Spending Score [/100],[/b]"
    rows = [f"{i},F,{20 + i % 40},{20 + i % 30},{1 + i % 90},x" for i in range(60)]
    (tmp_path / "a[b].csv").write_text("\n".join([header, *rows]))
    result = run("inspect", "a[b].csv")
    assert result.exit_code == 0, result.output
    for text in ("a[b].csv", "Annual Income [k$]", "Spending Score [/100]", "[/b]"):
        assert text in result.stdout


@pytest.mark.parametrize("variables", ["k", "{k: ", "[k]"])
def test_variables_are_a_mapping(run, variables):
    result = run("build", "--vars", variables)
    assert result.exit_code == 2
    assert "is not a mapping of variables" in result.stderr


def test_variables_behind_the_dashes_are_not_lost_silently(run):
    result = run("build", "--", "--vars", "{k: 6}")
    assert result.exit_code == 2
    assert "Give --vars before --" in result.stderr
