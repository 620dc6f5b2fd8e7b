"""The Great Expectations checkpoint on real builds."""

import os
import re

import duckdb
import pytest

from mall_segments.checks.checkpoint import KEYS
from mall_segments.checks.offline_docs import OFFLINE
from tests.integration.conftest import ROOT

BASELINE = ROOT / "tests" / "expectations" / "customer_baseline.json"
LOADED = re.compile(r'<(?:script|link|img)\b[^>]*?(?:src|href)="([^"]+)"')


@pytest.fixture
def check(tmp_path):
    def check(project, *arguments):
        site = tmp_path / "data_docs"
        result = project.run(
            *("mall-segments", "check", "--database", project.database),
            *("--baseline", BASELINE, "--site", site, *arguments),
        )
        return result, site

    return check


def test_the_mall_segments_meet_every_expectation(mall, check):
    result, site = check(mall)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"\n27 met, 0 not\.", result.stdout)
    pages = list(site.rglob("*.html"))
    assert len(pages) == 11
    for page in pages:
        for address in LOADED.findall(page.read_text()):
            assert "//" not in address, f"{page} loads {address}"
            assert (page.parent / address.split("?")[0]).is_file(), f"{page} lacks {address}"


def test_customers_that_moved_are_named(project, check, tmp_path):
    text = project.seed.read_text().splitlines()
    for number, line in enumerate(text[1:], start=1):
        fields = line.split(",")
        fields[2] = str(min(int(fields[2]) + 20, 120)) if number % 2 else fields[2]
        text[number] = ",".join(fields)
    text[7] = ",".join([*text[7].split(",")[:2], "119", *text[7].split(",")[3:]])
    text[9] = ",".join([*text[9].split(",")[:2], "3", *text[9].split(",")[3:]])
    text[11] = ",".join([*text[11].split(",")[:2], "2", *text[11].split(",")[3:]])
    project.seed.write_text("\n".join(text) + "\n")
    project.build("--select", *(f"+{relation.partition('.')[2]}" for relation in KEYS))
    result, _ = check(project)
    assert result.returncode == 3, result.stdout
    assert re.search(r"FAIL\s+age\s+column kl divergence", result.stdout)
    assert "staging.stg_customers.age: rows 7, 9, 11" in result.stdout
    own = tmp_path / "own.json"
    result, _ = check(project, "--baseline", own, "--update-baseline")
    assert not re.search(r"FAIL\s+age\s+column kl divergence", result.stdout)


def test_a_folder_with_other_files_is_not_replaced(mall, check, tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    result, _ = check(mall, "--site", folder)
    assert result.returncode == 2
    (folder / OFFLINE).mkdir(parents=True)
    result, _ = check(mall, "--site", folder)
    assert result.returncode == 2
    assert "NOT_OUR_SITE" in result.stderr
    assert (folder / "letter.txt").read_text() == "dear"


def test_a_site_that_a_killed_build_left_half_written_is_replaced(mall, check, tmp_path):
    site = tmp_path / "data_docs"
    (site / OFFLINE).mkdir(parents=True)
    (site / "index.html").write_text("half a pa")
    left = tmp_path / ".data_docs.aside-killed"
    (left / "static").mkdir(parents=True)
    os.utime(left, (0, 0))
    result, _ = check(mall)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "half a pa" not in (site / "index.html").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["data_docs"]


def test_a_baseline_that_is_none_is_named(mall, check, tmp_path):
    broken = tmp_path / "baseline.json"
    broken.write_text("{}")
    result, _ = check(mall, "--baseline", broken)
    assert result.returncode == 2
    assert "BASELINE_NOT_READABLE" in result.stderr


def test_a_database_without_a_build_is_named(project, check):
    duckdb.connect(str(project.database)).close()
    result, _ = check(project)
    assert result.returncode == 2
    assert "NOT_BUILT" in result.stderr


def test_great_expectations_is_never_imported_by_a_build(mall):
    code = "import sys, mall_segments.dbt_intake, mall_segments.dbt_segmentation; "
    code += "sys.exit('great_expectations' in sys.modules)"
    assert mall.run("python", "-c", code).returncode == 0
