"""Without a cluster or without Java a build on Spark says what to do, and writes nothing."""

import socket

import pytest

from tests.waiting import LONGEST

pytestmark = pytest.mark.spark

MASTER = "MALL_SEGMENTS_SPARK_MASTER"


@pytest.fixture
def refused(project):
    """What a build says that is refused before Spark starts; it leaves no table."""

    def build():
        before = {path.name for path in project.folder.iterdir()}
        arguments = ("--no-use-colors", "build", "--target", "spark")
        with project.start("dbt", *arguments, environment=(MASTER,)) as process:
            said, _ = process.communicate(timeout=LONGEST)
        assert process.returncode == 2
        assert "Traceback" not in said
        assert " OK " not in said
        # Where a session keeps tables and its catalog unless told otherwise.
        made = {path.name for path in project.folder.iterdir()} - before
        assert made <= {"logs", "target"}
        assert not list(project.folder.rglob("*.parquet"))
        return said

    return build


def test_a_master_that_is_not_there(refused, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv(MASTER, f"spark://127.0.0.1:{port}")
    said = refused()
    assert (
        f"The master spark://127.0.0.1:{port} cannot be reached: 127.0.0.1:{port}: Connection"
        " refused. Is it running (sbin/start-master.sh) and is the master of the profile right?"
    ) in said


def test_a_master_of_no_known_form(refused, monkeypatch):
    monkeypatch.setenv(MASTER, "127.0.0.1:7077")
    said = refused()
    assert "The master is '127.0.0.1:7077', expected one like local[*]" in said
    assert "For a Spark Connect server say remote: sc://host:15002 instead." in said


def test_no_java(refused, monkeypatch, tmp_path):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = refused()
    assert "No Java found on the PATH, and JAVA_HOME is not set. Install Java 17 or 21" in said
    assert "With a Spark Connect server" in said
