"""`mall-segments score`: the segments of the customers in a file, by the stored model."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from mall_segments.cli.options import (
    PATH,
    intake_options,
    places_options,
    variable_overrides,
)
from mall_segments.publish.places import Places


@click.command()
@click.argument("file", type=PATH)
@click.option("--to", "output", type=PATH, required=True, help="File to write: .csv or .parquet.")
@places_options
@intake_options
def score(
    places: Places,
    file: Path,
    output: Path,
    aliases: Sequence[list[tuple[str, str]]],
    gender_map: list[tuple[str, str]] | None,
    **gates: float | None,
) -> None:
    """Assign the customers of FILE by the model that serves, without fitting anything."""
    from mall_segments.project_sql import project_variables
    from mall_segments.publish.database import storage_errors
    from mall_segments.scoring import score_file

    project = project_variables()
    settings = project | variable_overrides(project, aliases, gender_map, gates)
    with storage_errors(), tempfile.TemporaryDirectory() as spill:
        scored = score_file(file, places.warehouse, output, settings, Path(spill))
    counts = ", ".join(f"{key} {customers:,}" for key, customers in scored.customers.items())
    click.echo(
        f"{sum(scored.customers.values()):,} customers in {output} by model {scored.model_id}: "
        f"{counts}."
    )
    if scored.out_of_domain:
        click.echo(
            f"{scored.out_of_domain:,} of them are beyond the range that the model was fitted on: "
            "see is_out_of_domain."
        )
    if scored.rejected_file:
        click.echo(f"{scored.rejected:,} rows are no customers: {scored.rejected_file}.")
