"""docs/troubleshooting.md quotes what is really said."""

import ast
import re
import subprocess
import sys

import duckdb
import pytest

from tests.integration.conftest import ROOT
from tests.waiting import LONGEST

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
OTHER_PAGES = [
    (ROOT / "docs" / name).read_text() for name in ("bring-your-own-data.md", "publishing.md")
]
ROWS = re.findall(r"^\| (.+?) \| .+? \| .+? \|$", PAGE, re.MULTILINE)
QUOTES = [quote for row in ROWS for quote in re.findall(r"`([^`]+)`", row)]
# What others say; each is provoked below.
FOREIGN = {
    "Env var required but not provided: 'MALL_SEGMENTS_CANDIDATE'",
    "Conflicting lock is held in",
    "the semantic manifest artifact exists",
    'because schema "dev.marts" does not exist',
}


def templates():
    """What the code can say, as regular expressions: constants, and any text between them."""
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.escape(node.value)
            elif isinstance(node, ast.JoinedStr):
                yield "".join(
                    re.escape(part.value) if isinstance(part, ast.Constant) else ".*"
                    for part in node.values
                )
    yield re.escape((ROOT / "Makefile").read_text()).replace(re.escape("$(PYTHON)"), ".*")


SAID = set(templates())
TEMPLATES = [text for text in SAID if len(text.replace(".*", "")) > 8]
CODES = {text for text in SAID if re.fullmatch(r"[A-Z_]{3,}", text)}


def is_said(quote):
    """Whether the code says this, `...` being anything, under this code if the quote has one."""
    code, message = re.fullmatch(r"(?:([A-Z_]+): )?(.*)", quote).groups()
    return (code is None or re.escape(code) in CODES) and any(
        contains(template, message) for template in TEMPLATES
    )


def contains(template, quote):
    """Whether the constant parts of a quote follow one another in a template."""
    parts = [re.escape(part.strip()) for part in quote.split("...") if part.strip()]
    return re.search(r"[\s\S]*".join(map(re.escape, parts)), template) is not None


@pytest.mark.parametrize("quote", [quote for quote in QUOTES if quote not in FOREIGN])
def test_a_quoted_message_is_one_of_ours(quote):
    assert is_said(quote)


def test_a_message_that_nobody_says_is_found_out():
    assert not is_said("There is no file ... on this planet")
    assert not is_said("No column found by ...")
    assert not is_said("FILE_NOT_THERE: There is no file ...")
    assert set(QUOTES) >= FOREIGN


def test_every_error_has_its_place_in_the_docs():
    codes = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and is_error(node.func):
                code = node.args[0]
                if isinstance(code, ast.Constant) and re.fullmatch("[A-Z_]{3,}", code.value):
                    codes.add(code.value)
    assert len(codes) > 30
    pages = [PAGE, *OTHER_PAGES]
    assert [code for code in sorted(codes) if not any(f"`{code}" in page for page in pages)] == []


def is_error(function):
    name = getattr(function, "id", getattr(function, "attr", ""))
    return name == "__init__" or name.endswith("Error")


def test_what_dbt_says_of_the_target_prod(project):
    result = project.dbt("parse", "--target", "prod")
    assert "Env var required but not provided: 'MALL_SEGMENTS_CANDIDATE'" in result.stdout


def test_what_duckdb_says_of_a_file_in_use(project):
    with duckdb.connect(str(project.database)):
        result = project.run("mall-segments", "segments", "--database", project.database)
        other = subprocess.run(
            [sys.executable, "-c", f"import duckdb; duckdb.connect({str(project.database)!r})"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 75
    assert "Conflicting lock is held in" in other.stderr


def test_what_mf_says_without_a_manifest_and_of_another_target(project, mall, monkeypatch):
    result = project.run("mf", "query", "--metrics", "customers")
    assert "the semantic manifest artifact exists" in " ".join(
        (result.stdout + result.stderr).split()
    )
    monkeypatch.setenv("DBT_TARGET", "warehouse")
    monkeypatch.setenv("MALL_SEGMENTS_WAREHOUSE", str(project.folder / "other.duckdb"))
    duckdb.connect(str(project.folder / "other.duckdb")).close()
    names = ("DBT_TARGET", "MALL_SEGMENTS_WAREHOUSE")
    with mall.start("mf", "query", "--metrics", "customers", environment=names) as process:
        out, err = process.communicate(timeout=LONGEST)
    assert 'because schema "dev.marts" does not exist' in out + err
