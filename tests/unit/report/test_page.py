import json
import re

import pytest

from mall_segments.report.page import render
from tests.unit.report.conftest import profile

EVIL = "</script><script>alert(1)</script><!-- & \"quoted\" 'name'"


@pytest.fixture(scope="module")
def page():
    """Render once what needs no marts beyond those of the fixture."""
    pages = {}

    def rendered(name, contents):
        return pages.setdefault(name, render(contents))

    return rendered


def embedded(page, name):
    text = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)[1]
    return json.loads(text)


def test_a_name_cannot_break_out_of_the_page(page, contents):
    html = page("evil", contents(profiles=[profile("S1", 100, segment_name=EVIL)]))
    assert "<script>alert" not in html
    assert embedded(html, "report-data")["profiles"][0]["segment_name"] == EVIL


def test_charts_without_data_are_left_out(page, contents):
    html = page("plain", contents())
    charts = embedded(html, "report-charts")
    for name in ("history", "migrations", "drift", "agreement", "tree", "silhouettes", "refusals"):
        assert name not in charts
        assert f'id="figure-{name}"' not in html
    assert "compare_algorithms" in html


def test_every_chart_finds_its_datasets_and_no_other_source(page, contents):
    html = page("plain", contents())
    data = embedded(html, "report-data")
    for name, spec in embedded(html, "report-charts").items():
        assert set(spec["usermeta"]["datasets"]) <= set(data), name
        assert '"url"' not in json.dumps(spec), name


def test_the_page_names_nothing_that_a_browser_would_load(page, contents):
    html = page("plain", contents())
    body = re.sub(r"<script>.*?</script>", "", html, flags=re.S)
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", body)
    assert "@import" not in html
    assert not re.search(r"url\((?!data:)", re.search(r"<style>(.*?)</style>", html, re.S)[1])


def test_the_table_behind_a_chart_has_the_figures_of_that_chart(contents):
    bins = [
        {"feature": feature, "breakdown": breakdown, "group_key": group, "bin_number": 1}
        | {"bin_lower": 0.0, "bin_upper": 5.0, "customers": count, "share": 1.0}
        for count, (feature, breakdown, group) in enumerate(
            [
                ("age", "segment", "S1"),
                ("spending_score", "all", "all"),
                ("spending_score", "segment", "S1"),
                ("spending_score", "gender", "Female"),
            ],
            start=9001,
        )
    ]
    html = render(contents(distributions=bins))
    figure = re.search(r'id="figure-distribution_spending_score".*?</figure>', html, re.S)[0]
    assert re.findall(r"9,00\d", figure) == ["9,003"]
