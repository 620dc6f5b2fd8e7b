"""The report as one HTML file that needs no network."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mall_segments.report import charts, formats, story
from mall_segments.report.contents import Contents, Row
from mall_segments.report.derived import with_derived
from mall_segments.report.figures import Figure, figures
from mall_segments.report.palette import variables
from mall_segments.report.tables import Table, behind_chart, tables

# The sections of the page: id, heading, and the question that they answer.
SECTIONS = (
    ("segments", "Segments", "Who are my customers, and what do I do for each group?"),
    ("map", "Map", "Where are they?"),
    ("profiles", "Profiles", "What sets the segments apart?"),
    ("trust", "Trust", "Can I rely on these segments?"),
    ("k", "Number of segments", "Why this many?"),
    ("changes", "Changes", "What changed since the last build?"),
    ("customers", "Customers", "Who are all customers, segments aside?"),
    ("source", "Source", "How clean were the data?"),
    ("algorithms", "Algorithms", "Would another algorithm say something else?"),
    ("model-card", "Model card", "What exactly was built, of what, by which versions?"),
)


def render(contents: Contents) -> str:
    """Return the page.

    Parameters
    ----------
    contents : what `read_contents` returned

    Returns
    -------
    str
        HTML with its styles, scripts and data inside.
    """
    datasets = with_derived(contents)
    drawn = figures(contents)
    environment = Environment(
        loader=PackageLoader("mall_segments.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=formats.number,
        count=formats.count,
        share=formats.share,
        words=formats.words,
        plain=formats.plain,
    )
    used = sorted({name for figure in drawn for name in figure.datasets} | set(contents.datasets))
    return environment.get_template("report.html.jinja").render(
        contents=contents,
        quality=contents.quality,
        sections=SECTIONS,
        figures={
            section: [figure for figure in drawn if figure.section == section]
            for section, *_ in SECTIONS
        },
        headline=story.headline(contents),
        trust=story.trust(contents),
        structure=story.structure(contents.quality["silhouette"]),
        optimum=story.optimum(contents.quality),
        changes=story.changes(contents),
        tables=tables(contents),
        behind=partial(_behind, datasets),
        cards=story.cards(contents),
        light=variables(dark=False),
        dark=variables(dark=True),
        styles=Markup(environment.get_template("report.css").render()),  # noqa: S704 - our own
        bundle=Markup(_script(_drawing_library())),  # noqa: S704 - the library's
        script=Markup(environment.get_template("report.js").render()),  # noqa: S704 - our own
        data=_json({name: datasets[name] for name in used}),
        charts=_json({figure.name: specification(figure) for figure in drawn}),
    )


def specification(figure: Figure) -> dict[str, Any]:
    """Return the Vega-Lite specification of a figure, without rows."""
    spec = figure.chart.to_dict()
    spec["config"] = charts.configuration()
    spec["usermeta"] = {"datasets": list(figure.datasets)}
    return spec


def _behind(datasets: dict[str, list[Row]], figure: Figure) -> Table:
    """Return the table behind a chart."""
    name, columns = figure.table
    title = f"Figures: {figure.title}"
    rows = [
        row
        for row in datasets[name]
        if all(row[column] in values for column, values in figure.shown.items())
    ]
    return behind_chart(title, name, columns, rows, figure.mart)


def _drawing_library() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script."""
    return vl_convert.javascript_bundle()  # type: ignore[call-arg]  # the stub lacks the default


def _json(value: object) -> Markup:
    """Return a value as JSON that no text in it can end the script element of."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - escaped just here


def _script(text: str) -> str:
    """Return JavaScript that cannot end its script element."""
    return text.replace("</script", "<\\/script").replace("<!--", "\\x3C!--")
