"""What the tests of several folders share."""

import pytest

from tests.integration.conftest import Project


@pytest.fixture(scope="session")
def first_build(tmp_path_factory):
    """A project with one published build. Not to be changed."""
    project = Project(tmp_path_factory.mktemp("production"))
    result = project.run("mall-segments", "build")
    assert result.returncode == 0, result.stderr
    project.said = result
    return project
