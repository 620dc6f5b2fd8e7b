"""`mall-segments docs`: what it writes, what it leaves alone, and what it says."""

import json
import re
import shutil
import tempfile
from html.parser import HTMLParser

import pytest


@pytest.fixture(scope="module")
def site(first_build, tmp_path_factory):
    """The site of the published build, which has no report, over an earlier one."""
    folder = tmp_path_factory.mktemp("public") / "site"
    folder.mkdir()
    (folder / "index.html").write_text('<meta name="generator" content="mall-segments docs">')
    (folder / "report.html").write_text("of an earlier build")
    result = first_build.run("mall-segments", "docs", "--to", folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_it_replaces_an_earlier_site(site):
    assert names(site) == ["data_docs", "dbt.html", "index.html"]
    assert names(site.parent) == ["site"]
    assert "27 of 27 expectations are met" in (site / "index.html").read_text()


def test_the_catalog_has_the_rows_and_types_of_the_warehouse(site, first_build):
    text = (site / "dbt.html").read_text()
    rows_of = re.compile(r'"name": "(\w+)", "database": "mall_segments".*?"value": (\d+)')
    catalogued = dict(rows_of.findall(text))
    for relation in ("marts.customer_segments", "staging.stg_customers", "marts.k_selection"):
        ((rows,),) = first_build.query(f"select count(*) from {relation}", first_build.warehouse)
        assert catalogued[relation.partition(".")[2]] == str(rows)


class Loaded(HTMLParser):
    """Collects what a page loads without being asked."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attributes):
        kind = {"script": "src", "img": "src", "iframe": "src", "link": "href"}.get(tag)
        self.addresses += [value for name, value in attributes if name == kind and value]


def test_no_page_loads_from_elsewhere_or_names_this_machine(site, first_build):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        text = page.read_text()
        loaded = Loaded()
        loaded.feed(text)
        remote = [address for address in loaded.addresses if re.match(r"(https?:)?//", address)]
        assert remote == [], page
        assert str(first_build.folder) not in text, page
        assert tempfile.gettempdir() + "/" not in text, page


def test_the_parsed_project_stays_as_the_build_left_it(site, first_build):
    manifest = json.loads((first_build.folder / "target" / "manifest.json").read_text())
    published = first_build.query(
        "select build_id from marts.segmentation_quality", first_build.published
    )
    assert published == [(manifest["metadata"]["invocation_id"],)]
    assert site.is_dir()


def test_a_folder_with_other_files_is_left_alone(first_build, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    result = first_build.run("mall-segments", "docs", "--to", tmp_path)
    assert (result.returncode, "NOT_OUR_SITE" in result.stderr) == (2, True)
    assert names(tmp_path) == ["letter.txt"]
    (tmp_path / "index.html").write_text('<meta name="generator" content="mall-segments docs">')
    result = first_build.run("mall-segments", "docs", "--to", tmp_path)
    assert (result.returncode, "NOT_OUR_SITE" in result.stderr) == (2, True)
    assert names(tmp_path) == ["index.html", "letter.txt"]


def test_without_a_build_it_says_so(project):
    result = project.run("mall-segments", "docs")
    assert result.returncode == 2
    assert "NOT_BUILT: There is no database" in result.stderr
    assert not (project.folder / "site").exists()


def test_what_dbt_says_is_passed_on(first_build, project):
    shutil.copytree(first_build.folder / "warehouse", project.folder / "warehouse")
    (project.folder / "dbt_project" / "models" / "marts" / "broken.sql").write_text(
        "select * from {{ ref('nothing_of_the_kind') }}"
    )
    result = project.run("mall-segments", "docs")
    assert result.returncode == 1
    assert "DBT_DOCS_FAILED" in result.stderr
    assert "nothing_of_the_kind" in result.stderr
    assert not (project.folder / "site").exists()


def test_a_bare_dbt_build_has_a_site_too(mall, tmp_path):
    result = mall.run("mall-segments", "docs", "--database", "dev.duckdb", "--to", tmp_path / "new")
    assert result.returncode == 0, result.stderr
    ((build_id,),) = mall.query("select build_id from marts.segmentation_quality")
    assert build_id in (tmp_path / "new" / "index.html").read_text()
