"""The report on disk: the page, and its charts as pictures."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import vl_convert

from mall_segments.outputs import (
    MARK,
    PAGE_MARK,
    NotOursError,
    OutputFormatError,
    require_room,
    require_unread,
)
from mall_segments.publish.durable import write_text
from mall_segments.report.contents import Contents
from mall_segments.report.derived import with_derived
from mall_segments.report.figures import Figure, figures
from mall_segments.report.page import specification
from mall_segments.report.palette import in_colours

PICTURE_WIDTHS = {"wide": 900, "half": 560, "third": 400}
PAGE_ENDINGS = (".html", ".htm")
PICTURE_ENDINGS = (".svg", ".png")
# Bytes of the last chunk of a PNG (https://www.w3.org/TR/png/#11IEND).
PNG_END = 12
# Pixels of a PNG per unit of its chart, for screens and slides of twice the usual density.
PICTURE_SCALE = 2


def write_page(page: str, target: Path, database: Path) -> None:
    """Write the page so that a reader finds the old or the new one, whole.

    Raises
    ------
    OutputFormatError, SamePlaceError, NotOursError
    """
    if target.suffix.lower() not in PAGE_ENDINGS:
        raise OutputFormatError(target, PAGE_ENDINGS)
    require_unread(target, [database])
    require_room(target, PAGE_MARK)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, page)


def require_room_for_pictures(contents: Contents, folder: Path) -> None:
    """Refuse a folder with other files in the places of the charts, or raise NotOursError."""
    if folder.exists() and not folder.is_dir():
        raise NotOursError(folder)
    for figure in figures(contents):
        for ending in PICTURE_ENDINGS:
            require_room(folder / f"{figure.name}{ending}", MARK)


def write_pictures(contents: Contents, folder: Path) -> int:
    """Write every chart as SVG and PNG, on white, and return how many there are.

    Raises
    ------
    NotOursError
    """
    require_room_for_pictures(contents, folder)
    folder.mkdir(parents=True, exist_ok=True)
    datasets = with_derived(contents)
    drawn = figures(contents)
    for figure in drawn:
        spec = _alone(figure, {name: datasets[name] for name in figure.datasets})
        svg = vl_convert.vegalite_to_svg(spec)
        (folder / f"{figure.name}.svg").write_text(f"{svg}<!-- {MARK} -->\n", encoding="utf-8")
        png = vl_convert.vegalite_to_png(spec, scale=PICTURE_SCALE)
        (folder / f"{figure.name}.png").write_bytes(_marked(png))
    return len(drawn)


def _marked(png: bytes) -> bytes:
    """Return a PNG with the mark as its comment, before the chunk that ends it."""
    chunk = b"tEXtSoftware\0" + MARK.encode()
    size, checksum = (len(chunk) - 4).to_bytes(4, "big"), zlib.crc32(chunk).to_bytes(4, "big")
    return png[:-PNG_END] + size + chunk + checksum + png[-PNG_END:]


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
