"""No page names a command, option, target, file or variable that does not exist."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import duckdb
import pytest
import yaml

from mall_segments.cli import main
from tests.integration.conftest import ROOT
from tests.waiting import LONGEST

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = ("", "sh", "bash", "console")
PROGRAMS = "make|mall-segments|dbt|mf|duckdb|pip|pytest|perl|export|streamlit|jupyter|git|cp"
COMMAND = re.compile(rf"(?:\.venv/bin/)?(?:{PROGRAMS}) |\.ci/run$")
# What begins like a command of ours, in a block that is none.
MISSPELT = re.compile(r"\$ |\.venv/|\.ci/|mall-|make |dbt |mf ")
MENTION = re.compile(rf"`((?:\.venv/bin/)?(?:{PROGRAMS}) [^`]+)`")
# Commands of which a published build, and a file of customers, see nothing.
CHEAP = ("inspect", "segments", "builds", "explain", "score", "export")


def blocks(page):
    """Blocks without a language of their own: commands, a script, or what a command prints."""
    for block in FENCE.finditer(page.read_text()):
        if block["language"] in SHELL:
            yield block["text"].splitlines()
        elif block["language"] == "yaml":
            for job in yaml.safe_load(block["text"])["jobs"].values():
                yield [step["run"] for step in job["steps"] if "run" in step]


def is_script(lines):
    return any(line.startswith(("case ", "if ", "for ")) for line in lines)


def commands():
    """Every command line of a block by its words, with the page that has it first."""
    found = {}
    for page in PAGES:
        for lines in blocks(page):
            for line in filter(COMMAND.match, lines):
                found.setdefault(tuple(words(line)), page.name)
    return found


def words(line):
    """The words of a command without its comment and redirection."""
    first, *others = shlex.split(line.partition(" > ")[0], comments=True)
    return [first.removeprefix(".venv/bin/"), *others]


def cases(*programs):
    return [
        pytest.param(list(found), id=f"{page}: {' '.join(found)}")
        for found, page in commands().items()
        if found[0] in programs
    ]


def mentions():
    """Commands that a sentence names, as far as it names them; `...` is a message, not one."""
    found = {
        text: page.name
        for page in PAGES
        for text in MENTION.findall(FENCE.sub("", page.read_text()))
        if "..." not in text
    }
    return [pytest.param(words(text), id=f"{page}: {text}") for text, page in found.items()]


def groups():
    """The programs that click can be asked about."""
    from dbt.cli.main import cli as dbt
    from dbt_metricflow.cli.main import cli as mf

    return {"mall-segments": main, "dbt": dbt, "mf": mf}


def command_of(found):
    """The click command that a command line calls, and its arguments."""
    command, arguments = groups()[found[0]], found[1:]
    while isinstance(command, click.Group):
        command, arguments = command.commands[arguments[0]], arguments[1:]
    return command, arguments


def test_blocks_of_commands_hold_nothing_else():
    for page in PAGES:
        for lines in map(list, blocks(page)):
            if is_script(lines):
                continue
            strange = [line for line in lines if not COMMAND.match(line)]
            if len(strange) == len(lines):
                assert [line for line in lines if MISSPELT.match(line)] == [], page.name
            else:
                assert strange == [], page.name
    assert len(commands()) > 40


@pytest.mark.parametrize("found", cases("mall-segments", "dbt", "mf"))
def test_commands_options_and_values_exist(found, first_build):
    command, arguments = command_of(found)
    context = command.make_context(found[0], list(arguments))
    if found[0] != "mf":
        settings = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
        variables = context.params.get("vars") or context.params.get("variables") or {}
        assert set(variables) <= set(settings)
    manifest = json.loads((first_build.folder / "target" / "manifest.json").read_text())
    names = {
        resource["name"]
        for kind in ("nodes", "exposures", "metrics", "saved_queries")
        for resource in manifest[kind].values()
    }
    for selector in context.params.get("select") or ():
        assert selector.strip("+").rpartition(":")[2] in names


@pytest.mark.parametrize("found", mentions())
def test_what_a_sentence_names_exists(found):
    if found[0] in groups():
        command, arguments = command_of(found)
        options = {name for parameter in command.params for name in parameter.opts}
        options |= {name for parameter in command.params for name in parameter.secondary_opts}
        assert {word for word in arguments if word.startswith("--") and word != "--"} <= options
    elif found[0] == "make":
        make(found)
    elif found[0] == "pip":
        pip(found)
    else:
        assert files_of(found)


@pytest.mark.parametrize("found", cases("make"))
def test_targets_exist(found):
    make(found)


def make(found):
    result = subprocess.run(
        [found[0], "--dry-run", *found[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("found", cases("duckdb"))
def test_queries_are_answered(found, first_build):
    _, option, database, query = found
    assert option == "-readonly"
    with duckdb.connect(str(first_build.folder / database), read_only=True) as connection:
        assert connection.sql(query).fetchall()


@pytest.mark.parametrize("found", cases("pip"))
def test_extras_exist(found):
    pip(found)


def pip(found):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    name, extras = re.search(r"([\w.-]+)\[([\w,]+)\]", " ".join(found)).groups()
    assert name in (project["name"], ".")
    assert set(extras.split(",")) <= set(project["optional-dependencies"])


@pytest.mark.parametrize("found", cases("export"))
def test_variables_of_the_environment_are_read(found):
    name, _, value = found[1].partition("=")
    profiles = (ROOT / "profiles.yml").read_text()
    if name == "DBT_TARGET":
        assert value in yaml.safe_load(profiles)["mall_segments"]["outputs"]
    else:
        code = [profiles, *(path.read_text() for path in (ROOT / "src").rglob("*.py"))]
        assert any(name in text for text in code)


@pytest.mark.parametrize("found", cases("pytest", "perl", "streamlit", "jupyter"))
def test_files_exist(found):
    assert files_of(found)


def files_of(found):
    """The files that a command names, which must be there."""
    files = [word for word in found[1:] if re.fullmatch(r"[\w./-]+\.\w+", word)]
    assert [file for file in files if not (ROOT / file).is_file()] == []
    return files


def test_what_ci_runs_exists():
    assert (".ci/run",) in commands()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.fixture(scope="module")
def shop(first_build, tmp_path_factory):
    """A copy of the published project with the files that the pages name."""
    folder = tmp_path_factory.mktemp("shop") / "project"
    shutil.copytree(first_build.folder, folder)
    for name in ("customers.csv", "new.csv"):
        shutil.copy(folder / "seeds" / "Mall_Customers.csv", folder / name)
    return folder


@pytest.mark.parametrize(
    "found", [case for case in cases("mall-segments") if case.values[0][1] in CHEAP]
)
def test_cheap_commands_succeed(found, shop):
    result = subprocess.run(
        [Path(sys.executable).with_name(found[0]), *found[1:]],
        cwd=shop,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout


@pytest.mark.parametrize("code", [0, 1, 2, 3, 74, 75])
def test_the_script_for_a_scheduler_tells_exit_codes_apart(code, tmp_path):
    (script,) = [lines for page in PAGES for lines in blocks(page) if is_script(lines)]
    stand_in = tmp_path / "mall-segments"
    stand_in.write_text(f"#!/bin/sh\necho '{{}}'\nexit {code}\n")
    stand_in.chmod(0o755)
    result = subprocess.run(
        ["sh", "-c", "\n".join(script)],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == code
    said = {0: "Published", 2: "delivers", 3: "analyst", 74: "try again", 75: "try again"}
    assert said.get(code, "engineer") in result.stdout
    assert (tmp_path / "build.jsonl").read_text() == "{}\n"
