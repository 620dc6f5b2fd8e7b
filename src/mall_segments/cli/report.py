"""`mall-segments report`: the marts as one HTML file, and its charts as pictures."""

from __future__ import annotations

from pathlib import Path

import click

from mall_segments.cli.options import PATH, PUBLISHED, database_option


@click.command()
@database_option(PUBLISHED, "the published file")
@click.option(
    "--to",
    "target",
    type=PATH,
    show_default="report.html beside the database",
    help="HTML file to write, over an earlier report; it needs no network and no other file.",
)
@click.option("--pictures", type=PATH, help="Folder for the charts as SVG and PNG too.")
def report(database: Path, target: Path | None, pictures: Path | None) -> None:
    """Write the report: who the segments are, whether to trust them, and what changed."""
    from mall_segments.publish.database import storage_errors
    from mall_segments.report.contents import read_contents
    from mall_segments.report.page import render
    from mall_segments.report.writing import (
        require_room_for_pictures,
        write_page,
        write_pictures,
    )

    contents = read_contents(database)
    target = target or database.with_name("report.html")
    with storage_errors():
        if pictures is not None:
            require_room_for_pictures(contents, pictures)
        write_page(render(contents), target, database)
    click.echo(f"{target} holds the report of build {contents.quality['build_id']}.")
    if pictures is not None:
        with storage_errors():
            count = write_pictures(contents, pictures)
        click.echo(f"{pictures} holds {count} charts as SVG and PNG.")
