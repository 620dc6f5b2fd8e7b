"""The command line: `mall-segments`.

Exit codes: 0 done, 2 refused (the source, a setting, an argument or an expectation), otherwise that
of dbt or of a fault of our own, 1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mall_segments.errors import MallSegmentsError
from mall_segments.intake.gates import Gates
from mall_segments.settings import parse_aliases, parse_gender_map

if TYPE_CHECKING:
    from mall_segments.intake.source import Inspection

EXIT_REFUSED = 2
PROGRESS_FROM_BYTES = 1 << 26
# Beyond it the engine spills to disk, so that a file of any size is inspected.
MEMORY = "2GB"
BASELINE = "tests/expectations/customer_baseline.json"
SITE = "target/data_docs"


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


class Pairs(click.ParamType):
    """An option of the form NAME=VALUE, or several separated by commas."""

    name = "name=value"

    def __init__(self, *, several: bool) -> None:
        self.several = several

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[tuple[str, str]]:
        """Split the text into (name, value) pairs."""
        text = str(value)
        pairs = [part.partition("=") for part in (text.split(",") if self.several else [text])]
        if not all(name.strip() and sign and meaning.strip() for name, sign, meaning in pairs):
            self.fail(f"{text!r} is not of the form NAME=VALUE.", param, ctx)
        return [(name.strip(), meaning.strip()) for name, _, meaning in pairs]


class Variables(click.ParamType):
    """A mapping of variables as YAML, as dbt's own --vars takes it."""

    name = "yaml"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, object]:
        """Parse the text."""
        import yaml

        try:
            parsed = yaml.safe_load(str(value))
        except yaml.YAMLError:
            parsed = None
        if not isinstance(parsed, dict):
            self.fail(f"{value!r} is not a mapping of variables.", param, ctx)
        return parsed


def intake_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how a source of customers is read."""
    for gate in reversed(fields(Gates)):
        command = click.option(
            f"--{gate.name.replace('_', '-')}",
            type=int if gate.type == "int" else float,
            help=f"Gate of the intake policy, {gate.default} unless the project says otherwise.",
        )(command)
    command = click.option(
        "--gender-map",
        type=Pairs(several=True),
        help="What other genders mean, such as '1=Female,2=Male'.",
    )(command)
    return click.option(
        "--alias",
        "aliases",
        type=Pairs(several=False),
        multiple=True,
        help="Another name of a column, such as 'annual_income_k_usd=Ingreso anual'. Repeatable.",
    )(command)


database_option = click.option(
    "--database",
    type=click.Path(path_type=Path),
    default=lambda: _database(),
    show_default="dev.duckdb",
    help="The DuckDB file of the build.",
)


@click.group(cls=Commands)
@click.version_option(package_name="mall-segments")
def main() -> None:
    """Segment customers, and look at the result."""


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
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

    from mall_segments.intake.report import as_object, print_inspection
    from mall_segments.project_sql import project_variables

    project = project_variables()
    overrides = _overrides(project, aliases, gender_map, gates)
    inspection, error = _inspect(file, project | overrides, quiet=as_json)
    if as_json:
        click.echo(json.dumps(as_object(inspection, error), ensure_ascii=False))
    else:
        print_inspection(str(file), inspection, error, Console())
    sys.exit(EXIT_REFUSED if error else 0)


@main.command()
@click.option(
    "--customers",
    type=click.Path(path_type=Path),
    help="A CSV or Parquet file of customers; the project's own source if not given.",
)
@intake_options
@click.option(
    "--vars",
    "variables",
    type=Variables(),
    default="{}",
    help="Variables of the project as YAML, such as '{k: 6}'.",
)
@click.argument("dbt_arguments", nargs=-1, type=click.UNPROCESSED)
def build(
    customers: Path | None,
    aliases: Sequence[list[tuple[str, str]]],
    gender_map: list[tuple[str, str]] | None,
    variables: dict[str, object],
    dbt_arguments: tuple[str, ...],
    **gates: float | None,
) -> None:
    """Run dbt build and print the segments.

    A file that is refused stops here, before dbt begins. DBT_ARGUMENTS after -- go to dbt.
    """
    from rich.console import Console

    from mall_segments.intake.report import print_inspection
    from mall_segments.project_sql import find_project, project_variables
    from mall_segments.segment_table import print_segments

    if any(argument.startswith("--vars") for argument in dbt_arguments):
        raise click.UsageError("Give --vars before --, so that it joins what other options set.")
    project = project_variables() | variables
    overrides = variables | _overrides(project, aliases, gender_map, gates)
    if customers:
        inspection, error = _inspect(customers, project | overrides, quiet=False)
        print_inspection(str(customers), inspection, error, Console())
        if error:
            sys.exit(EXIT_REFUSED)
        overrides["customers_path"] = str(customers.resolve())
    command = [str(Path(sys.executable).with_name("dbt")), "build", *dbt_arguments]
    if overrides:
        command += ["--vars", json.dumps(overrides)]
    finished = subprocess.run(command, cwd=find_project(), check=False)  # noqa: S603 - our own command
    if finished.returncode:
        sys.exit(finished.returncode)
    print_segments(_database())


@main.command()
@database_option
def segments(database: Path) -> None:
    """Print the segments of the last build."""
    from mall_segments.segment_table import print_segments

    print_segments(database)


@main.command()
@database_option
@click.option(
    "--baseline",
    "baseline_file",
    type=click.Path(path_type=Path),
    default=lambda: _in_project(BASELINE),
    show_default=BASELINE,
    help="The stored distribution that drift is measured against.",
)
@click.option(
    "--update-baseline", is_flag=True, help="Store the customers of this build as the baseline."
)
@click.option(
    "--site",
    type=click.Path(path_type=Path),
    default=lambda: _in_project(SITE),
    show_default=SITE,
    help="Where the Data Docs go.",
)
def check(database: Path, baseline_file: Path, update_baseline: bool, site: Path) -> None:
    """Check the last build with Great Expectations and write its Data Docs."""
    from rich.console import Console

    from mall_segments.checks import baseline
    from mall_segments.checks.checkpoint import measure_baseline, run_checkpoint
    from mall_segments.checks.report import print_findings

    if update_baseline:
        baseline.store(baseline_file, measure_baseline(database))
        click.echo(f"Stored the customers of {database} in {baseline_file}.")
    findings = run_checkpoint(database, site, baseline.load(baseline_file))
    print_findings(findings, Console())
    failed = sum(not finding.success for finding in findings)
    click.echo(f"{len(findings) - failed} met, {failed} not. Data Docs: {site / 'index.html'}")
    sys.exit(EXIT_REFUSED if failed else 0)


def _database() -> Path:
    return _in_project(os.environ.get("MALL_SEGMENTS_DATABASE", "dev.duckdb"))


def _in_project(path: str) -> Path:
    from mall_segments.project_sql import find_project

    return find_project() / path


def _overrides(
    project: Mapping[str, object],
    aliases: Sequence[list[tuple[str, str]]],
    gender_map: list[tuple[str, str]] | None,
    gates: Mapping[str, float | None],
) -> dict[str, object]:
    """Return the variables that the options change; aliases and genders add to the project's."""
    overrides: dict[str, object] = {
        name: value for name, value in gates.items() if value is not None
    }
    if aliases:
        names = parse_aliases(project["column_aliases"])
        for field, name in (pair for pairs in aliases for pair in pairs):
            names.setdefault(field, []).append(name)
        overrides["column_aliases"] = names
    if gender_map:
        overrides["gender_map"] = parse_gender_map(project["gender_map"]) | dict(gender_map)
    return overrides


def _inspect(
    file: Path, settings: Mapping[str, object], *, quiet: bool
) -> tuple[Inspection, MallSegmentsError | None]:
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


if __name__ == "__main__":
    main()
