"""`mall-segments certify`: how far from the global optimum the segmentation can be at most."""

from __future__ import annotations

import click

from mall_segments.cli.options import places_options
from mall_segments.publish.places import Places


@click.command()
@places_options
def certify(places: Places) -> None:
    """Prove a lower bound on the WCSS of any segmentation of the same customers.

    For at most 500 distinct points, and in minutes. The next build publishes the bound in
    marts.segmentation_quality.
    """
    from mall_segments.certificate import certify_warehouse

    proven = certify_warehouse(places)
    click.echo(
        f"No partition by {proven.feature_set} into {proven.k} segments has a WCSS below "
        f"{proven.lower_bound:.6f}."
    )
    click.echo(
        f"This one has {proven.wcss:.6f}: within {proven.gap:.4%} of the global optimum, proven."
    )
