import json
import signal
import sys
from types import SimpleNamespace

import duckdb
import pytest
from click.testing import CliRunner

from mall_segments.cli import main
from mall_segments.publish import publication
from mall_segments.publish.stop_signals import STOP_SIGNALS
from tests.locking import locked


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # The thread would outlive the test.
    monkeypatch.setattr(sys.modules["mall_segments.cli.build"], "_import_early", lambda _name: None)
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


@pytest.mark.parametrize(
    "arguments",
    [
        ("segments", "--database"),
        ("report", "--database"),
        ("explain", "1", "--database"),
        ("check", "--database"),
        ("docs", "--database"),
        ("export", "--published"),
        ("builds", "--warehouse"),
        ("rollback", "--warehouse"),
        ("certify", "--warehouse"),
        ("build", "--warehouse"),
        ("score", "mine.csv", "--to", "out.csv", "--warehouse"),
    ],
)
def test_a_file_that_is_open_to_write_elsewhere_is_named_with_who_has_it(run, arguments, opened):
    others = {"--warehouse": ("--published", "new.duckdb"), "--published": ("--to", "exports")}
    result = run(*arguments, str(opened.path), *others.get(arguments[-1], ()))
    assert result.exit_code == 75, result.output
    assert f"IN_USE: {opened.path} is locked: " in result.stderr
    assert f"(PID {opened.holder}) has it open.\nClose it there" in result.stderr
    assert "build first" not in result.stderr


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    path = tmp_path_factory.mktemp("opened") / "mall.duckdb"
    with locked(path) as holder:
        yield SimpleNamespace(path=path, holder=holder.pid)


def test_the_event_of_a_stop_has_the_exit_code_of_the_process(run, monkeypatch):
    def stopped(*_arguments, **_options):
        signal.raise_signal(number)

    monkeypatch.setattr(publication, "publish_build", stopped)
    files = ("--warehouse", "w.duckdb", "--published", "p.duckdb")
    before = {number: signal.signal(number, signal.SIG_DFL) for number in STOP_SIGNALS}
    try:
        for number in STOP_SIGNALS:
            result = run("build", "--json", *files)
            event = json.loads(result.stdout.splitlines()[-1])
            assert (event["event"], event["code"]) == ("failed", "STOPPED")
            assert event["message"] == f"By {number.name}."
            assert event["exit_code"] == result.exit_code == 128 + number
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--vars", "{customer_path: mine.csv}"),
        ("--alias", "agee=Alter"),
        ("--gender-map", "1=Woman"),
        ("--warehouse", "one.duckdb", "--published", "one.duckdb"),
    ],
)
def test_what_is_refused_before_a_build_begins_is_an_event_too(run, arguments):
    result = run("build", "--json", *arguments)
    event = json.loads(result.stdout)
    assert event["event"] == "failed"
    assert event["exit_code"] == result.exit_code == 2
    assert run("build", *arguments).stderr.startswith(f"{event['code']}: {event['message']}")


def test_an_environment_variable_that_means_nothing_is_named_by_every_command(run, monkeypatch):
    monkeypatch.setenv("MALL_SEGMENTS_MEMORY_LIMIT", "abc")
    for command in ("segments", "inspect", "rollback", "build"):
        result = run(command, *(["nowhere.csv"] if command == "inspect" else []))
        assert result.exit_code == 2
        assert "INVALID_SETTING: The environment variable MALL_SEGMENTS_MEMORY_LIMIT is 'abc'" in (
            result.stderr
        )
    assert json.loads(run("build", "--json").stdout)["code"] == "INVALID_SETTING"
