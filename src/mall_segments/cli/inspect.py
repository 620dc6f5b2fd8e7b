"""`mall-segments inspect`: what a build would do with a file of customers."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mall_segments.cli.options import PATH, intake_options, variable_overrides
from mall_segments.errors import MallSegmentsError

if TYPE_CHECKING:
    from mall_segments.intake.source import Inspection

PROGRESS_FROM_BYTES = 1 << 26
# Beyond it the engine spills to disk, so that a file of any size is inspected.
MEMORY = "2GB"


@click.command()
@click.argument("file", type=PATH)
@intake_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def inspect(
    file: Path,
    aliases: Sequence[list[tuple[str, str]]],
    gender_map: list[tuple[str, str]] | None,
    as_json: bool,
    **gates: float | None,
) -> None:
    """Read a customers FILE by the intake policy and say what a build would do with it."""
    from rich.console import Console

    from mall_segments.intake.hints import printable
    from mall_segments.intake.report import as_object, print_inspection
    from mall_segments.project_sql import project_variables

    project = project_variables()
    overrides = variable_overrides(project, aliases, gender_map, gates)
    inspection, error = inspect_customers(file, project | overrides, quiet=as_json)
    if as_json:
        click.echo(json.dumps(as_object(inspection, error), ensure_ascii=False))
    else:
        print_inspection(printable(file), inspection, error, Console())
    sys.exit(error.exit_code if error else 0)


def inspect_customers(
    file: Path, settings: Mapping[str, object], *, quiet: bool
) -> tuple[Inspection, MallSegmentsError | None]:
    """Return what was found in a file and why it is refused, if it is.

    A bar on standard error shows how far the reading of a large file has come, unless `quiet`.
    """
    import duckdb
    from rich.console import Console
    from rich.progress import Progress

    from mall_segments.intake.source import Inspection, inspect_file

    size = _size(file)
    shown = not quiet and size >= PROGRESS_FROM_BYTES
    bar = Progress(console=Console(stderr=True), disable=not shown, transient=True)
    with (
        tempfile.TemporaryDirectory() as spill,
        duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": spill}) as session,
        bar,
    ):
        task = bar.add_task("Checking every byte", total=size)

        def advance(done: int) -> None:
            bar.advance(task, done)
            if bar.tasks[task].completed >= size:
                bar.update(task, description="Judging every row", total=None)

        try:
            inspection = inspect_file(session, file, settings, advance)
        except MallSegmentsError as error:
            return Inspection(), error
        inspection.rows = None
        return inspection, inspection.error


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
