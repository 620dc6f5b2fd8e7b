"""`mall-segments builds` and `rollback`: the log of what was published, and the way back."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from mall_segments.cli.options import places_options
from mall_segments.publish.places import Places


@click.command()
@places_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per build.")
def builds(places: Places, as_json: bool) -> None:
    """List the builds that were published, the newest last."""
    from mall_segments.publish import build_log
    from mall_segments.publish.serving import settle_if_idle

    if repaired := settle_if_idle(places):
        click.echo(repaired, err=True)
    log = build_log.builds(places)
    if any(build.is_served is None for build in log):
        click.echo(f"{places.published} is locked: which build it holds is not known.", err=True)
    if as_json:
        for build in log:
            click.echo(json.dumps(asdict(build), default=str))
    else:
        _print(log)


@click.command()
@click.argument("build_id", required=False)
@places_options
def rollback(places: Places, build_id: str | None) -> None:
    """Let BI read an earlier build again: BUILD_ID, or the one before that which is served.

    The beginning of an id is enough. The same command with the id of a newer build goes forward.
    """
    from mall_segments.publish import serving

    before, now = serving.rollback(places, build_id)
    click.echo(f"{places.published} holds build {now} again, instead of {before or 'none'}.")


def _print(log: list) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    if not log:
        click.echo("Nothing was published yet: mall-segments build.")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("Build", "Published (UTC)"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Customers", "Refused", "k", "WCSS", "Seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for build in log:
        state = "served" if build.is_served else "kept" if build.is_kept else ""
        table.add_row(
            build.build_id[:8],
            f"{build.published_at:%Y-%m-%d %H:%M}",
            f"{build.customers:,}",
            f"{build.rows_rejected:,}",
            str(build.k),
            f"{build.wcss:.4f}",
            f"{build.duration_seconds:.1f}",
            state,
        )
    Console().print(table)
