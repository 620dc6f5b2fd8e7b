"""The site of `mall-segments docs`, opened from disk without a network."""

import re

import pytest

from tests.browser.conftest import keep_screenshot, violations


@pytest.fixture(scope="module")
def site(first_build, tmp_path_factory):
    """The site of the published build, with a page where the report would be."""
    report = tmp_path_factory.mktemp("published") / "report.html"
    report.write_text("<!doctype html><title>Report</title><h1>Who they are</h1>")
    folder = tmp_path_factory.mktemp("site") / "site"
    result = first_build.run("mall-segments", "docs", "--report", report, "--to", folder)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"Open {folder / 'index.html'}" in result.stdout
    return folder


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_index_leads_to_every_part(site, visit, first_build, color_scheme):
    page = visit(site / "index.html", color_scheme=color_scheme)
    keep_screenshot(page, f"site_{color_scheme}")
    ((build_id, began),) = first_build.query(
        "select build_id, strftime(segmented_at, '%Y-%m-%d %H:%M UTC')"
        " from marts.segmentation_quality",
        first_build.published,
    )
    assert page.get_by_role("definition").all_text_contents() == [build_id, began]
    assert "200 customers in 5 segments" in page.inner_text("main")
    links = page.get_by_role("link")
    titles = [link.get_by_role("heading").inner_text() for link in links.all()]
    assert titles == ["Segment report", "Data quality", "Models, columns and lineage"]
    for link in links.all():
        assert (site / link.get_attribute("href")).is_file()
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    links.first.focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("heading").inner_text() == "Who they are"


def test_the_documentation_of_dbt_shows_columns_rows_and_lineage(site, visit):
    page = visit(f"{(site / 'dbt.html').as_uri()}#!/model/model.mall_segments.customer_segments")
    page.get_by_text("how surely.").first.wait_for()
    shown = page.inner_text("body")
    assert "Number of the customer in the source." in shown
    assert re.search(r"Rows\s+200\b", shown, re.IGNORECASE)
    icons = page.locator("svg.icn use").evaluate_all(
        "uses => uses.map(use => use.getAttribute('xlink:href'))"
    )
    assert icons
    assert [icon for icon in icons if icon and not icon.startswith("#")] == []


def test_the_lineage_of_the_report_is_drawn(site, visit):
    page = visit(f"{(site / 'dbt.html').as_uri()}#!/overview?g_v=1&g_i=%2Bexposure:segment_report")
    page.wait_for_function(
        """() => [...document.querySelectorAll("canvas")].some(canvas => {
            const { data } = canvas.getContext("2d").getImageData(
                0, 0, canvas.width, canvas.height);
            return new Set(new Uint32Array(data.buffer)).size > 50;
        })"""
    )
    keep_screenshot(page, "site_lineage")


def test_data_docs_open(site, visit):
    page = visit(site / "data_docs" / "index.html")
    assert "customer_segments" in page.inner_text("body")
