"""What the report shows, read from the marts."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from mall_segments.errors import NotBuiltError
from mall_segments.publish.database import reading
from mall_segments.settings import PROFILE_FEATURES

Row = dict[str, Any]

# Beyond so many customers the maps show a sample, so that the file stays small and readable.
MAPPED_CUSTOMERS = 2_000
# Bars of the silhouette plot of one segment at most, evenly spaced over its customers by rank.
SILHOUETTE_BARS = 120
# The last builds that the history shows.
SHOWN_BUILDS = 24
# Customers nearest to a border that are listed.
BORDER_CUSTOMERS = 10

LAST_BUILD = "(select build_id from marts.segmentation_quality)"
NEWEST_BUILDS = (
    f"(select build_id from marts.builds order by segmented_at desc limit {SHOWN_BUILDS})"
)

# One query per dataset of the page; each takes its figures from the marts as they are.
QUERIES = {
    "quality": "from marts.segmentation_quality",
    "builds": f"from marts.builds where build_id in {NEWEST_BUILDS} order by segmented_at",
    "profiles": "from marts.segment_profiles order by length(segment_key), segment_key",
    "traits": "from marts.segment_traits order by length(segment_key), segment_key, trait_rank",
    "rules": "from marts.segment_rules order by length(segment_key), segment_key, rule_rank",
    "centroids": """
        pivot (from marts.segment_centroids) on feature using first(centroid) group by segment_key
    """,
    "trust": "from marts.segment_trust order by length(segment_key), segment_key",
    "k_selection": "from marts.k_selection order by feature_set, k",
    "customers": f"""
        select
            customer_id,
            gender,
            {", ".join(PROFILE_FEATURES)},
            segment_key,
            assignment_margin,
            assignment_probability
        from marts.customer_segments
        order by md5(cast(customer_id as varchar))
        limit {MAPPED_CUSTOMERS}
    """,
    "probabilities": """
        select
            segment_key,
            floor(least(assignment_probability, 0.999999) * 10) / 10 as probability_from,
            count(*) as customers
        from marts.customer_segments
        where assignment_probability is not null
        group by all
        order by all
    """,
    "border_customers": f"""
        select
            customers.customer_id,
            customers.segment_key,
            customers.runner_up_segment_key,
            customers.assignment_margin,
            customers.assignment_probability,
            string_agg(reasons.description, ' ' order by reasons.feature) as description
        from (
            from marts.customer_segments
            where assignment_margin is not null
            order by assignment_margin, customer_id
            limit {BORDER_CUSTOMERS}
        ) as customers
        left join marts.assignment_reasons as reasons using (customer_id)
        group by all
        order by assignment_margin, customer_id
    """,
    "silhouettes": f"""
        with ranked as (
            select
                segment_key,
                nearest_other_segment_key,
                silhouette,
                row_number() over segment as customer_rank,
                count(*) over (partition by segment_key) as customers
            from marts.customer_silhouettes
            where silhouette is not null
            window segment as (
                partition by segment_key order by silhouette desc, customer_id
            )
        )
        from ranked
        where
            customers <= {SILHOUETTE_BARS}
            or floor((customer_rank - 1) * {SILHOUETTE_BARS} / customers)
            <> floor((customer_rank - 2) * {SILHOUETTE_BARS} / customers)
        order by length(segment_key), segment_key, customer_rank
    """,
    "distributions": """
        from marts.feature_distributions order by feature, breakdown, group_key, bin_number
    """,
    "summaries": """
        from marts.feature_summaries
        order by feature, breakdown, length(group_key), group_key
    """,
    "correlations": "from marts.feature_correlations order by feature, other_feature",
    "missingness": "from marts.feature_missingness order by column_name, other_column_name",
    "outliers": "from marts.outliers order by feature, rule",
    "age_bands": "from marts.age_bands order by age_band_number, segment_key, gender",
    "algorithms": "from marts.algorithm_comparison order by algorithm",
    "agreement": """
        select algorithm, cluster, segment_key, count(*) as customers
        from marts.algorithm_assignments
        group by all
        order by algorithm, cluster nulls last, segment_key
    """,
    "cluster_tree": "from marts.cluster_tree order by node",
    "data_quality": f"""
        from marts.data_quality_summary where build_id = {LAST_BUILD}
        order by rows_failed desc, rule
    """,
    "drift": f"from marts.segment_drift where build_id = {LAST_BUILD} order by measure, subject",
    "history": f"""
        from marts.segment_history where build_id in {NEWEST_BUILDS}
        order by segmented_at, length(segment_key), segment_key
    """,
    "migrations": f"""
        from marts.segment_migrations where build_id = {LAST_BUILD}
        order by from_segment_key, to_segment_key
    """,
    "model_runs": f"from marts.model_runs order by fitted_at desc limit {SHOWN_BUILDS}",
}


@dataclass(frozen=True)
class Contents:
    """The datasets of a report.

    Attributes
    ----------
    datasets : rows of each dataset, by its name in `QUERIES`
    """

    datasets: Mapping[str, list[Row]]

    def __getitem__(self, name: str) -> list[Row]:
        return self.datasets[name]

    @property
    def quality(self) -> Row:
        """The one row of the model card."""
        return self.datasets["quality"][0]

    @property
    def features(self) -> list[str]:
        """Features that the segments are made of."""
        return self.quality["feature_set"].split(", ")


def read_contents(database: Path) -> Contents:
    """Read what the report shows from a published file, or any file with the marts.

    Parameters
    ----------
    database : path of a DuckDB file; it is opened read-only and closed again

    Raises
    ------
    NotBuiltError
        If the file, its marts or its segments are not there.
    """
    if not database.is_file():
        raise NotBuiltError(f"There is no database at {database}.")
    try:
        with reading(database) as connection:
            datasets = {name: _rows(connection, query) for name, query in QUERIES.items()}
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        reason = str(error).splitlines()[0]
        raise NotBuiltError(f"{database} lacks what the report shows: {reason}") from None
    except duckdb.IOException as error:
        raise NotBuiltError(f"{database} cannot be read: {error}") from None
    if not datasets["quality"]:
        raise NotBuiltError(f"{database} holds no segments.")
    return Contents(datasets)


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    result = connection.execute(query)
    names = [column[0] for column in result.description]
    return [
        {name: _plain(value) for name, value in zip(names, row, strict=True)}
        for row in result.fetchall()
    ]


def _plain(value: object) -> object:
    """Return a value as JSON has it; what is not a finite number is null there."""
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
