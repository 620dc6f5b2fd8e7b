"""`mall-segments build`: build aside, audit, and publish."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from mall_segments.cli.inspect import inspect_customers
from mall_segments.cli.options import (
    BASELINE,
    PATH,
    SITE,
    Variables,
    in_project,
    intake_options,
    places_options,
    variable_overrides,
)
from mall_segments.environment import check_environment
from mall_segments.errors import MallSegmentsError
from mall_segments.publish.places import Places
from mall_segments.publish.progress import Lines, Live, Progress, print_events, told_to
from mall_segments.settings import parse_number

# Short and opposite forms of dbt options that `build` sets itself.
OTHER_FORMS = ("-t", "-q", "--quiet", "--no-write-json", "--log-level-console")


@click.command()
@click.option(
    "--customers",
    type=PATH,
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
@places_options
@click.option(
    "--update-baseline",
    is_flag=True,
    help="Take these as the usual customers: drift is measured from them, their model serves.",
)
@click.option(
    "--refit/--no-refit",
    default=None,
    help="Fit again (the default), or assign by the stored model.",
)
@click.option(
    "--appended",
    is_flag=True,
    help="The source only got new rows at its end: add those customers, by the stored model.",
)
@click.option("--promote", is_flag=True, help="Serve a refit whatever its gates say.")
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait for another build instead of ending at once.",
)
@click.option(
    "--keep",
    "kept_builds",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    metavar="BUILDS",
    help="Earlier builds to keep for a rollback.",
)
@click.option(
    "--restored",
    is_flag=True,
    help="The warehouse was restored from a backup, older than what BI reads: go on from it.",
)
@click.option("--keep-candidate", is_flag=True, help="Leave a build that fails for inspection.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    is_eager=True,
    callback=print_events,
    help="Print one JSON object per event.",
)
@click.argument("dbt_arguments", nargs=-1, type=click.UNPROCESSED)
def build(
    places: Places,
    customers: Path | None,
    aliases: Sequence[list[tuple[str, str]]],
    gender_map: list[tuple[str, str]] | None,
    variables: dict[str, object],
    update_baseline: bool,
    refit: bool | None,
    appended: bool,
    promote: bool,
    wait_seconds: float,
    kept_builds: int,
    restored: bool,
    keep_candidate: bool,
    quiet: bool,
    as_json: bool,
    dbt_arguments: tuple[str, ...],
    **gates: float | None,
) -> None:
    """Build the segments aside, audit them, publish them in one step, and print them.

    A build that fails changes nothing that anybody reads. A file that is refused stops here, before
    dbt begins. DBT_ARGUMENTS after -- go to dbt build.
    """
    from mall_segments.project_sql import find_project, project_variables
    from mall_segments.publish.dbt_run import Made, run_dbt
    from mall_segments.publish.publication import publish_build, unpromoted
    from mall_segments.publish.stop_signals import stop_errors
    from mall_segments.segment_table import print_segments

    check_environment()
    _refuse_own_options(dbt_arguments)
    project = project_variables(variables)
    overrides = variables | variable_overrides(project, aliases, gender_map, gates)
    overrides |= _model_overrides(
        refit, appended=appended, promote=promote, update_baseline=update_baseline
    )
    project |= overrides
    is_own_source = bool(customers or project["customers_path"] or project["customers_relation"])

    def make(candidate: Path) -> Made:
        return run_dbt(find_project(), candidate, overrides, dbt_arguments, progress)

    def meet_expectations(candidate: Path, made: Made) -> None:
        from mall_segments.checks.gate import require_expectations

        baseline = None if is_own_source else in_project(BASELINE)
        require_expectations(
            candidate,
            made.build_id,
            baseline,
            in_project(SITE),
            update_baseline=update_baseline,
            smallest_share=parse_number(project["min_segment_share"], "min_segment_share"),
        )
        if decision := unpromoted(candidate, made.build_id):
            progress.note(f"The stored model goes on serving. {decision}")

    with stop_errors():
        if customers:
            _judge(customers, project, quiet=quiet, as_json=as_json)
            overrides["customers_path"] = str(customers.resolve())
        _import_early("great_expectations")
        progress = _progress(quiet=quiet, as_json=as_json)
        with closing(progress):
            published = publish_build(
                places,
                make,
                meet_expectations,
                progress,
                wait_seconds=wait_seconds,
                keep_candidate=keep_candidate,
                kept_builds=kept_builds,
                restored=restored,
            )
            progress.published(published)
    if not quiet and not as_json:
        try:
            print_segments(places.published)
        except MallSegmentsError as error:
            progress.note(f"It is published, but cannot be shown: {error.message}")


def _model_overrides(
    refit: bool | None, *, appended: bool, promote: bool, update_baseline: bool
) -> dict[str, object]:
    """Return the variables that say which model serves, and whom it assigns."""
    overrides: dict[str, object] = {} if refit is None else {"refit": refit}
    if appended:
        overrides |= {"refit": bool(refit), "appended": True}
    if update_baseline:
        overrides["update_baseline"] = True
    if promote or update_baseline:
        overrides["promote"] = True
    return overrides


def _refuse_own_options(dbt_arguments: Sequence[str]) -> None:
    from mall_segments.publish.dbt_run import OWN_OPTIONS, PATH_OPTIONS

    for argument in dbt_arguments:
        option = argument.partition("=")[0]
        if option == "--vars":
            raise click.UsageError("Give --vars before --, so that it joins what options set.")
        if option in (*OWN_OPTIONS, *PATH_OPTIONS, *OTHER_FORMS):
            raise click.UsageError(f"mall-segments build sets {option} itself; or use dbt build.")


def _judge(customers: Path, settings: dict[str, object], *, quiet: bool, as_json: bool) -> None:
    """Say what is in the file, and end here if it is refused."""
    from rich.console import Console

    from mall_segments.intake.report import print_inspection

    silent = quiet or as_json
    inspection, error = inspect_customers(customers, settings, quiet=silent)
    if error and silent:
        raise error
    if not silent:
        print_inspection(str(customers), inspection, error, Console())
    if error:
        sys.exit(error.exit_code)


def _progress(*, quiet: bool, as_json: bool) -> Progress:
    if as_json or quiet:
        return told_to(click.get_current_context())
    return Live() if sys.stderr.isatty() else Lines()


def _import_early(module: str) -> None:
    """Import a module of many parts on the other core, while dbt is at work."""
    from importlib import import_module
    from threading import Thread

    Thread(target=import_module, args=[module], daemon=True).start()
