import duckdb
import pytest
from click.testing import CliRunner

from mall_segments.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MALL_SEGMENTS_DATABASE", raising=False)
    return lambda *arguments: CliRunner().invoke(main, arguments)


def test_a_database_that_is_not_there_is_named(run):
    result = run("segments", "--database", "nowhere.duckdb")
    assert result.exit_code == 2
    assert result.stderr == (
        "NOT_BUILT: There is no database at nowhere.duckdb.\n"
        "Run dbt build first, or name the file: --database.\n"
    )


def test_a_database_without_segments_is_named(run):
    duckdb.connect("dev.duckdb").close()
    result = run("segments")
    assert result.exit_code == 2
    assert "NOT_BUILT: dev.duckdb holds no segments." in result.stderr
