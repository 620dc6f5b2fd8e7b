"""The recipes of docs/publishing.md, run as they stand with an old DuckDB."""

import re
import subprocess
import sys
import venv

import pytest

from tests.integration.conftest import ROOT
from tests.waiting import LONGEST

OLD_DUCKDB = "1.0.0"
PACKAGES = (
    f"duckdb=={OLD_DUCKDB}",
    "duckdb-engine",
    "sqlalchemy<2.1",
    "pandas",
    "duckdb-cli==1.5.6",
)
PAGE = (ROOT / "docs" / "publishing.md").read_text()
# The largest segment by name, the id of a build, or the number of customers.
SHOWN = re.compile(r"Middle income|'[0-9a-f]{8}-[0-9a-f-]{27}'|\b200\b")
RECIPES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A virtual environment with old drivers, as a BI tool has them."""
    folder = tmp_path_factory.mktemp("old")
    venv.create(folder, with_pip=True)
    install(folder, *PACKAGES)
    return folder / "bin"


def install(folder, *packages):
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", *packages], check=True)


def run(project, *command):
    return subprocess.run(
        command, cwd=project.folder, capture_output=True, text=True, timeout=LONGEST, check=False
    )


@pytest.mark.parametrize("recipe", [text for text in RECIPES if "streamlit" not in text])
def test_recipes_in_python(first_build, environment, recipe):
    result = run(first_build, environment / "python", "-c", recipe)
    assert result.returncode == 0, result.stderr
    assert SHOWN.search(result.stdout), result.stdout


def test_the_engine_is_as_old_as_the_page_says(environment):
    said = subprocess.check_output(
        [environment / "python", "-c", "import duckdb; print(duckdb.__version__)"], text=True
    )
    assert said.strip() == OLD_DUCKDB
    assert f"DuckDB {OLD_DUCKDB}" in PAGE


def test_the_recipe_for_the_command_line(first_build, environment):
    command = re.search(r'^duckdb -readonly (\S+) "(.*)"$', PAGE, re.MULTILINE)
    result = run(first_build, environment / "duckdb", "-readonly", command[1], command[2])
    assert result.returncode == 0, result.stderr
    assert "High income, high spenders" in result.stdout


@pytest.mark.faults
def test_the_recipe_for_streamlit(first_build, environment):
    install(environment.parent, "streamlit")
    recipe = next(text for text in RECIPES if "streamlit" in text)
    result = run(first_build, environment / "python", "-c", recipe)
    assert result.returncode == 0, result.stderr


def test_the_current_driver_reads_it_too(first_build):
    result = run(first_build, sys.executable, "-c", RECIPES[0])
    assert "High income, high spenders" in result.stdout
