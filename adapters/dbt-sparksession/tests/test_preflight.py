from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import write_profile
from dbt.adapters.exceptions import FailedToConnectError
from dbt.adapters.sparksession import preflight
from dbt.adapters.sparksession.credentials import SparkSessionCredentials
from dbt_runs import dbt_process


def credentials(**options: Any) -> SparkSessionCredentials:
    return SparkSessionCredentials.from_dict({"schema": "main", **options})


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Give a port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def java_that_says(folder: Path, version: str) -> Path:
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2020-01-01' >&2\n")
    java.chmod(java.stat().st_mode | stat.S_IXUSR)
    return folder


def test_no_java_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FailedToConnectError, match=r"No Java found on the PATH.*Install Java 17"):
        preflight.check(credentials(master="local[2]"))


def test_no_java_where_java_home_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(FailedToConnectError, match=f"in JAVA_HOME \\({tmp_path}\\)"):
        preflight.check(credentials(master="local[2]"))


@pytest.mark.parametrize(("version", "major"), [("1.8.0_292", 8), ("11.0.20", 11)])
def test_java_that_is_too_old(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, major: int
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java_that_says(tmp_path, version)))
    with pytest.raises(FailedToConnectError, match=f"is Java {major}, Spark 4 needs 17"):
        preflight.check_java()


def test_java_that_is_new_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java_that_says(tmp_path, "21.0.1")))
    preflight.check_java()


def test_a_remote_needs_no_java(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, silent_port: int
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    preflight.check(credentials(remote=f"sc://127.0.0.1:{silent_port}"))


def test_a_remote_that_does_not_run(closed_port: int) -> None:
    with pytest.raises(FailedToConnectError) as failure:
        preflight.check(credentials(remote=f"sc://127.0.0.1:{closed_port}"))
    assert f"Spark Connect server 127.0.0.1:{closed_port} cannot be reached" in str(failure.value)
    assert "refused" in str(failure.value)
    assert "start-connect-server.sh" in str(failure.value)


def test_masters_of_which_none_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, closed_port: int
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java_that_says(tmp_path, "17.0.1")))
    master = f"spark://127.0.0.1:{closed_port},no.such.host.invalid:7077"
    with pytest.raises(FailedToConnectError, match=r"start-master\.sh") as failure:
        preflight.check(credentials(master=master))
    assert "the host no.such.host.invalid is unknown" in str(failure.value)


def test_one_of_two_masters_is_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, closed_port: int, silent_port: int
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java_that_says(tmp_path, "17.0.1")))
    preflight.check(credentials(master=f"spark://127.0.0.1:{closed_port},127.0.0.1:{silent_port}"))


def test_yarn_needs_its_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java_that_says(tmp_path, "17.0.1")))
    for name in preflight.HADOOP_FOLDERS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(FailedToConnectError, match="neither HADOOP_CONF_DIR nor YARN_CONF_DIR"):
        preflight.check(credentials(master="yarn"))


def test_dbt_says_in_a_few_lines_that_nobody_answers(tmp_path: Path, silent_port: int) -> None:
    """A server that takes the connection and then nothing: bounded by connect_timeout."""
    (tmp_path / "dbt_project.yml").write_text("{name: shop, version: 1.0.0, profile: shop}")
    remote = f"sc://127.0.0.1:{silent_port}"
    write_profile(tmp_path, {"schema": "main", "remote": remote, "connect_timeout": 2})
    said = dbt_process(tmp_path, "debug", "--connection")
    assert said.returncode == 1
    assert (
        f"The Spark Connect server {remote} accepted the connection but runs nothing" in said.stdout
    )
    assert "within 2 seconds (connect_timeout of the profile)" in said.stdout
    assert "Traceback" not in said.stdout + said.stderr
