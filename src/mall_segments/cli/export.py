"""`mall-segments export`: the marts as files."""

from __future__ import annotations

from pathlib import Path

import click

from mall_segments.cli.options import PATH, in_project, places_options
from mall_segments.publish.export import FORMATS
from mall_segments.publish.places import Places


@click.command()
@places_options
@click.option(
    "--format",
    "file_format",
    type=click.Choice(list(FORMATS)),
    default="parquet",
    show_default=True,
)
@click.option(
    "--to",
    "folder",
    type=PATH,
    default=lambda: in_project("exports"),
    show_default="exports",
    help="Where the exports go, each format in a folder of its own.",
)
def export(places: Places, file_format: str, folder: Path) -> None:
    """Write the published marts to a folder of files, for tools that cannot open DuckDB."""
    from mall_segments.publish.database import storage_errors
    from mall_segments.publish.export import export_marts
    from mall_segments.publish.serving import settle_if_idle

    if repaired := settle_if_idle(places):
        click.echo(repaired, err=True)
    with storage_errors():
        done = export_marts(places.published, folder / file_format, file_format)
    click.echo(
        f"Build {done.build_id}: {len(done.rows)} marts with {sum(done.rows.values()):,} rows in "
        f"{done.pointer}"
    )
    if done.escaped_values:
        click.echo(
            f"{done.escaped_values:,} texts that a spreadsheet would run got a quote in front."
        )
