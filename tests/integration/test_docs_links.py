"""Pages lead where they say: files, headings and relations that exist."""

import json
import re

import pytest

from tests.integration.conftest import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
RELATION = re.compile(r"`(raw|staging|features|ml|marts)\.(\w+)(?:\.(\w+))?`")


def slug(heading):
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for file, anchor in LINK.findall(page.read_text()):
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), file
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert anchor in map(slug, headings), f"{file}#{anchor}"


def test_every_page_is_reached_from_the_readme():
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if page.name not in readme] == []


def test_relations_and_columns_that_pages_name_exist(mall):
    manifest = json.loads((mall.folder / "target" / "manifest.json").read_text())
    known = {
        (node["schema"], node["alias"]): set(node["columns"])
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed", "snapshot")
    }
    # Made by mall-segments build beside dbt.
    known["ml", "customer_baselines"] = set()
    for page in PAGES:
        for schema, relation, column in RELATION.findall(page.read_text()):
            assert (schema, relation) in known, f"{page.name}: {schema}.{relation}"
            assert not column or column in known[schema, relation], f"{page.name}: {column}"
