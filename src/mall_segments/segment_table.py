"""The segments of a built database as a table in the terminal."""

from __future__ import annotations

from pathlib import Path

import duckdb
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mall_segments.errors import NotBuiltError
from mall_segments.publish.database import reading

PROFILES = """
    select
        segment_key,
        segment_name,
        value_tier,
        customers,
        customer_share,
        age_mean,
        annual_income_k_usd_mean,
        spending_score_mean,
        recommended_action
    from marts.segment_profiles
    order by customers desc, segment_key
"""

QUALITY = """
    select customers, k, feature_set, wcss, silhouette, stability_jaccard
    from marts.segmentation_quality
"""


def print_segments(database: Path, console: Console | None = None) -> None:
    """Print one row per segment and the quality of the segmentation.

    Parameters
    ----------
    database : path of a DuckDB file with the marts
    console : rich Console, optional

    Raises
    ------
    NotBuiltError
        If the file or its marts are not there.
    """
    profiles, quality = _read(database)
    table = Table(title="Customer segments", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Key", "Segment", "Value"):
        table.add_column(heading)
    for heading in ("Number", "Share", "Age", "k$", "Score"):
        table.add_column(heading, justify="right", no_wrap=True)
    for key, name, tier, customers, share, age, income, score, _ in profiles:
        shown = f"{customers:,}", f"{share:.1%}", f"{age:.1f}", f"{income:.1f}", f"{score:.1f}"
        table.add_row(key, escape(name), escape(tier), *shown)
    actions = Table(title="What to do", title_justify="left", box=None, show_header=False)
    for key, *_, action in profiles:
        actions.add_row(key, escape(action))
    console = console or Console()
    console.print(table, actions, "")
    for customers, k, feature_set, wcss, silhouette, stability in quality:
        shown_silhouette = "-" if silhouette is None else f"{silhouette:.3f}"
        console.print(
            f"{customers:,} customers in {k} segments by {feature_set}.\n"
            f"WCSS {wcss:.6f}, silhouette {shown_silhouette}, "
            f"stability {stability:.2f} (stable from 0.75).",
            highlight=False,
        )


def _read(database: Path) -> tuple[list[tuple], list[tuple]]:
    if not database.is_file():
        raise NotBuiltError(f"There is no database at {database}.")
    try:
        with reading(database) as connection:
            return connection.sql(PROFILES).fetchall(), connection.sql(QUALITY).fetchall()
    except duckdb.CatalogException:
        raise NotBuiltError(f"{database} holds no segments.") from None
    except duckdb.IOException as error:
        raise NotBuiltError(f"{database} cannot be read: {error}") from None
