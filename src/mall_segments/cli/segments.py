"""`mall-segments segments`: the segments of the build that is served."""

from __future__ import annotations

from pathlib import Path

import click

from mall_segments.cli.options import PUBLISHED, database_option


@click.command()
@database_option(PUBLISHED, "what BI reads")
def segments(database: Path) -> None:
    """Print the segments of a build."""
    from mall_segments.segment_table import print_segments

    print_segments(database)
