"""`mall-segments check`: the expectations on a build that is already there."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mall_segments.cli.options import (
    BASELINE,
    PATH,
    SITE,
    WAREHOUSE,
    database_option,
    in_project,
)
from mall_segments.errors import AuditFailedError
from mall_segments.settings import parse_number


@click.command()
@database_option(WAREHOUSE, "the warehouse")
@click.option(
    "--baseline",
    "baseline_file",
    type=PATH,
    show_default=f"that of the warehouse, else {BASELINE}",
    help="The stored distribution that drift is measured against.",
)
@click.option(
    "--update-baseline", is_flag=True, help="Store the customers of this build in the file."
)
@click.option(
    "--site",
    type=PATH,
    default=lambda: in_project(SITE),
    show_default=SITE,
    help="Where the Data Docs go.",
)
def check(database: Path, baseline_file: Path | None, update_baseline: bool, site: Path) -> None:
    """Check a build with Great Expectations and write its Data Docs.

    A build of mall-segments has passed this before it was published; here it can be repeated, and
    done for a bare dbt build.
    """
    from rich.console import Console

    from mall_segments.checks import baseline
    from mall_segments.checks.checkpoint import measure_baseline, run_checkpoint
    from mall_segments.checks.report import print_findings
    from mall_segments.project_sql import project_variables

    file = baseline_file or in_project(BASELINE)
    if update_baseline:
        baseline.store(file, measure_baseline(database))
        click.echo(f"Stored the customers of {database} in {file}.")
    registered = None if baseline_file or update_baseline else baseline.registered(database)
    smallest_share = parse_number(project_variables()["min_segment_share"], "min_segment_share")
    findings = run_checkpoint(database, site, registered or baseline.load(file), smallest_share)
    print_findings(findings, Console())
    failed = sum(not finding.success for finding in findings)
    click.echo(f"{len(findings) - failed} met, {failed} not. Data Docs: {site / 'index.html'}")
    sys.exit(AuditFailedError.exit_code if failed else 0)
