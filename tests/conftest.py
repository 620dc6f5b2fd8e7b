"""What the tests of several folders share."""

import fcntl
import os
import pickle
import shutil
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings

from tests.integration.conftest import Project

# How long an example takes says how busy the machine is.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Make a project in one of the processes that run tests; each works on a copy of its own."""
    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent

    def made_once(name, make):
        original, said = common / name, common / f"{name}.said"
        with alone(common / f"{name}.lock"):
            if not said.exists():
                shutil.rmtree(original, ignore_errors=True)
                original.mkdir()
                said.write_bytes(pickle.dumps(make(Project(original))))
        folder = tmp_path_factory.mktemp(name)
        shutil.copytree(original, folder, dirs_exist_ok=True)
        project = Project.at(folder)
        project.said = pickle.loads(said.read_bytes())
        return project

    return made_once


@contextmanager
def alone(path):
    """Wait until no other process is in the same place."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def first_build(made_once):
    """A project with one published build, and what that said. Not to be changed."""

    def make(project):
        result = project.run("mall-segments", "build")
        assert result.returncode == 0, result.stderr
        return result

    return made_once("production", make)


@pytest.fixture(scope="session")
def mall(made_once):
    """The project, built with all its dbt tests from the shipped seed. Not to be changed."""

    def make(project):
        result = project.dbt("build")
        assert result.returncode == 0, result.stdout
        assert "WARN=0 ERROR=0 SKIP=0" in result.stdout
        return result

    return made_once("mall", make)


@pytest.fixture(scope="session")
def one_segment(made_once):
    """The mall in one segment of one feature, the tests of the data passed. Not to be changed."""
    variables = {"k": 1, "segmentation_features": ["age"], "compared_feature_sets": []}
    return made_once("one_segment", lambda project: project.tested_build(**variables))


@pytest.fixture(scope="session")
def ten_segments(made_once):
    """The same in ten by a pair, compared with no other algorithm. Not to be changed."""
    pair = ["age", "spending_score"]
    variables = {"k": 10, "segmentation_features": pair, "compared_feature_sets": []}
    variables["compare_algorithms"] = False
    return made_once("ten_segments", lambda project: project.tested_build(**variables))
