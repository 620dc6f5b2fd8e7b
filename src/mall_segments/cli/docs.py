"""`mall-segments docs`: the site about a build."""

from __future__ import annotations

from pathlib import Path

import click

from mall_segments.cli.options import BASELINE, PATH, WAREHOUSE, database_option, in_project

REPORT = "published/report.html"


@click.command()
@database_option(WAREHOUSE, "the warehouse")
@click.option(
    "--report",
    type=PATH,
    default=lambda: in_project(REPORT),
    show_default=REPORT,
    help="Page of mall-segments report; left out if it is not there.",
)
@click.option(
    "--to",
    "folder",
    type=PATH,
    default=lambda: in_project("site"),
    show_default="site",
    help="Folder of the site; an earlier one is replaced.",
)
def docs(database: Path, report: Path, folder: Path) -> None:
    """Write dbt's documentation, Data Docs and the report as a site that opens offline."""
    from mall_segments.project_sql import find_project
    from mall_segments.publish.database import storage_errors
    from mall_segments.site.folder import INDEX, write_site

    with storage_errors():
        parts = write_site(
            folder.resolve(),
            find_project(),
            database,
            report,
            in_project(BASELINE),
            lambda part: click.echo(f"Writing {part} ..."),
        )
    for part in parts:
        click.echo(f"{part.title}: {folder / part.link}")
    click.echo(f"Open {folder / INDEX}")
