"""`mall-segments explain`: why a customer is in its segment."""

from __future__ import annotations

from pathlib import Path

import click

from mall_segments.cli.options import PUBLISHED, database_option


@click.command()
@click.argument("customer_id", type=int)
@database_option(PUBLISHED, "what BI reads")
def explain(customer_id: int, database: Path) -> None:
    """Say why CUSTOMER_ID is in its segment, how surely, and what would change that."""
    from mall_segments.explanation import explain_customer

    click.echo(explain_customer(database, customer_id))
