"""`mall-segments forget`: remove customers from every file."""

from __future__ import annotations

from pathlib import Path

import click

from mall_segments.cli.options import PATH, in_project, places_options
from mall_segments.environment import DATABASE
from mall_segments.publish.places import Places

DEVELOPMENT = "dev.duckdb"


@click.command()
@click.argument("customer_ids", nargs=-1)
@click.option(
    "--from",
    "file",
    type=PATH,
    help="Text with one id a line, or CSV with a column customer_id; - for standard input.",
)
@places_options
@click.option(
    "--exports",
    type=PATH,
    multiple=True,
    default=lambda: [in_project("exports")],
    show_default="exports",
    help="Where exports are, as export --to was given it. Repeatable.",
)
@click.option(
    "--database",
    "development",
    type=PATH,
    envvar=DATABASE,
    default=lambda: in_project(DEVELOPMENT),
    show_default=DEVELOPMENT,
    show_envvar=True,
    help="DuckDB file of a bare dbt build; passed over if it is not there.",
)
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait for a build instead of ending at once.",
)
def forget(
    places: Places,
    customer_ids: tuple[str, ...],
    file: Path | None,
    exports: tuple[Path, ...],
    development: Path,
    wait_seconds: float,
) -> None:
    """Remove the customers CUSTOMER_IDS with all their history from every file.

    That is the warehouse, the published file, kept builds, exports and dev.duckdb; pages and logs
    that can show single customers go as a whole. The source is not touched: take the customers out
    of it too, or the next build brings them back.
    """
    from mall_segments.forget.asked import ids_of_file
    from mall_segments.forget.production import Request, UnknownCustomersError
    from mall_segments.forget.production import forget as forget_customers
    from mall_segments.project_sql import find_project, project_variables
    from mall_segments.settings import parse_aliases

    aliases = parse_aliases(project_variables()["column_aliases"])
    ids = [*customer_ids, *(ids_of_file(file, aliases) if file else [])]
    request = Request(ids, find_project(), development.resolve(), exports, aliases)
    done = forget_customers(places, request, wait_seconds, lambda note: click.echo(note, err=True))
    rows = ", ".join(f"{place.replace('_', ' ')} {count:,}" for place, count in done.rows.items())
    click.echo(f"{done.found:,} of {done.asked:,} customers were found. Rows removed: {rows}.")
    if done.removed:
        listed = ", ".join(str(path) for path in done.removed)
        click.echo(f"Removed as they can show single customers: {listed}.")
        click.echo("Write pages again: mall-segments report, check, docs.")
    click.echo(
        "The source is as it was: take the customers out of it, or the next build brings them back."
    )
    if done.found < done.asked:
        raise UnknownCustomersError(done.asked - done.found, done.asked)
