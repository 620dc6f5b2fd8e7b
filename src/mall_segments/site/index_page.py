"""The page that leads to everything about a build."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import jinja2

from mall_segments.errors import NotBuiltError
from mall_segments.publish.database import reading

TEMPLATE = Path(__file__).with_name("index.html.j2")
# Marks a page as ours.
GENERATOR = "mall-segments docs"
BUILD = """
    select build_id, segmented_at, customers, k, feature_set
    from marts.segmentation_quality
"""


@dataclass(frozen=True)
class Build:
    """The build that a site is about.

    Attributes
    ----------
    segmented_at : when it began, in UTC
    """

    build_id: str
    segmented_at: datetime
    customers: int
    k: int
    feature_set: str


@dataclass(frozen=True)
class Part:
    """A part of the site.

    Attributes
    ----------
    link : where it is, relative to the index page
    """

    link: str
    title: str
    text: str


def read_build(database: Path) -> Build:
    """Return what a database says of its build, or raise NotBuiltError."""
    if not database.is_file():
        raise NotBuiltError(f"There is no database at {database}.")
    try:
        with reading(database) as connection:
            rows = connection.execute(BUILD).fetchall()
    except duckdb.Error as error:
        raise NotBuiltError(f"{database}: {str(error).splitlines()[0]}") from None
    if len(rows) != 1:
        raise NotBuiltError(f"{database} holds {len(rows)} builds, not one.")
    return Build(*rows[0])


def index_page(build: Build, parts: list[Part]) -> str:
    """Return the page as HTML that loads nothing."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(build=build, parts=parts, generator=GENERATOR)
