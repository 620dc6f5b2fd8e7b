"""The report on disk: the page, and its charts as pictures."""

from __future__ import annotations

import json
from pathlib import Path

import vl_convert

from mall_segments.publish.durable import write_text
from mall_segments.report.contents import Contents
from mall_segments.report.derived import with_derived
from mall_segments.report.figures import Figure, figures
from mall_segments.report.page import specification
from mall_segments.report.palette import in_colours

PICTURE_WIDTHS = {"wide": 900, "half": 560, "third": 400}
# Pixels of a PNG per unit of its chart, for screens and slides of twice the usual density.
PICTURE_SCALE = 2


def write_page(page: str, target: Path) -> None:
    """Write the page so that a reader finds the old or the new one, whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, page)


def write_pictures(contents: Contents, folder: Path) -> int:
    """Write every chart as SVG and PNG, on white, and return how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    datasets = with_derived(contents)
    drawn = figures(contents)
    for figure in drawn:
        spec = _alone(figure, {name: datasets[name] for name in figure.datasets})
        svg = vl_convert.vegalite_to_svg(spec)
        (folder / f"{figure.name}.svg").write_text(svg, encoding="utf-8")
        png = vl_convert.vegalite_to_png(spec, scale=PICTURE_SCALE)
        (folder / f"{figure.name}.png").write_bytes(png)
    return len(drawn)


def _alone(figure: Figure, datasets: dict) -> dict:
    """Return a specification with its rows, its colours and a fixed width."""
    spec = specification(figure)
    spec["config"]["background"] = "var(--page)"
    spec = json.loads(in_colours(json.dumps(spec)))
    return {
        **spec,
        "width": PICTURE_WIDTHS[figure.size],
        "title": figure.title,
        "datasets": spec.get("datasets", {}) | datasets,
    }
