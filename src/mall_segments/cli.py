"""The command line: `mall-segments`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mall_segments.errors import MallSegmentsError

EXIT_REFUSED = 2


class Commands(click.Group):
    """A group of commands that ends with a message, not a traceback, on our own errors."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command and turn a MallSegmentsError into a message and exit code 2."""
        try:
            return super().invoke(ctx)
        except MallSegmentsError as error:
            click.secho(f"{error.code}: {error.message}", fg="red", err=True)
            click.echo(error.hint, err=True)
            ctx.exit(EXIT_REFUSED)


@click.group(cls=Commands)
@click.version_option(package_name="mall-segments")
def main() -> None:
    """Segment customers, and look at the result."""


@main.command()
@click.option(
    "--database",
    type=click.Path(path_type=Path),
    default=lambda: Path(os.environ.get("MALL_SEGMENTS_DATABASE", "dev.duckdb")),
    show_default="dev.duckdb",
    help="The DuckDB file to read.",
)
def segments(database: Path) -> None:
    """Print the segments of the last build."""
    from mall_segments.segment_table import print_segments

    print_segments(database)


if __name__ == "__main__":
    main()
