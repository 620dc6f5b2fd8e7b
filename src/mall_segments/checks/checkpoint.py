"""Run the expectations on a built database and publish their Data Docs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from mall_segments.checks import baseline as baselines
from mall_segments.checks.offline_docs import make_offline, require_own_site
from mall_segments.errors import NotBuiltError
from mall_segments.k_choice import SMALLEST_SHARE
from mall_segments.publish.database import reading
from mall_segments.publish.durable import folder_written_aside

KEYS = {
    "raw.raw_customers": "line_number",
    "staging.stg_customers": "customer_id",
    "marts.customer_segments": "customer_id",
    "marts.segment_profiles": "segment_key",
    "marts.segmentation_quality": "build_id",
}
# Great Expectations checks data frames; more rows than this are sampled by a hash of the key.
LARGEST_FRAME = 500_000


@dataclass(frozen=True)
class Finding:
    """The outcome of one expectation.

    Attributes
    ----------
    relation, expectation, column : str
    success : bool
    observed : the figure that was found, or why there is none, as text
    failing : key and value of the rows that do not meet it, in order
    rows : int, that were looked at
    bounds : arguments of the expectation, such as `min_value` and `mostly`
    """

    relation: str
    expectation: str
    column: str
    success: bool
    observed: str
    failing: list[tuple[Any, Any]]
    rows: int
    bounds: dict[str, Any]


def run_checkpoint(
    database: Path, site: Path, baseline: dict[str, Any], smallest_share: float = SMALLEST_SHARE
) -> list[Finding]:
    """Validate every suite and write the site.

    Parameters
    ----------
    database : path of a built DuckDB file
    site : folder of the Data Docs, replaced
    baseline : as `baseline.load` returns it
    smallest_share : of the customers, expected in each segment

    Raises
    ------
    NotBuiltError
        If the file or a relation is not there.
    NotOurSiteError
        If the folder of the site holds something else.
    """
    frames = read_frames(database)
    require_own_site(site)
    with folder_written_aside(site) as aside:
        findings = _validate(frames, baseline, aside, smallest_share)
        make_offline(aside)
    return findings


def measure_baseline(database: Path) -> dict[str, Any]:
    """Return the baseline that the customers of a built database are."""
    return baselines.measure(read_frames(database)["staging.stg_customers"])


def _validate(
    frames: dict[str, pd.DataFrame], baseline: dict[str, Any], site: Path, smallest_share: float
) -> list[Finding]:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    from mall_segments.checks.suites import suites

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for default_site in context.get_site_names():
        context.delete_data_docs_site(default_site)
    context.add_data_docs_site(
        "data_docs",
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(site.resolve()),
            },
        },
    )
    source = context.data_sources.add_pandas("warehouse")
    findings = []
    for relation, expectations in suites(baseline, smallest_share).items():
        name = relation.partition(".")[2]
        asset = source.add_dataframe_asset(name)
        validation = context.validation_definitions.add(
            gx.ValidationDefinition(
                name=name,
                data=asset.add_batch_definition_whole_dataframe("all rows"),
                suite=context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations)),
            )
        )
        checkpoint = context.checkpoints.add(
            gx.Checkpoint(
                name=name,
                validation_definitions=[validation],
                actions=[gx.checkpoint.UpdateDataDocsAction(name="docs", site_names=["data_docs"])],
                result_format={
                    "result_format": "COMPLETE",
                    "unexpected_index_column_names": [KEYS[relation]],
                },
            )
        )
        result = checkpoint.run(batch_parameters={"dataframe": frames[relation]})
        findings += _findings(relation, result)
    return findings


def read_frames(database: Path) -> dict[str, pd.DataFrame]:
    """Return the relations that are checked as data frames, ordered by key."""
    if not database.is_file():
        raise NotBuiltError(f"There is no database at {database}.")
    try:
        with reading(database) as connection:
            return {relation: _frame(connection, relation, key) for relation, key in KEYS.items()}
    except (duckdb.CatalogException, duckdb.IOException) as error:
        raise NotBuiltError(f"{database}: {str(error).splitlines()[0]}") from None


def _frame(connection: duckdb.DuckDBPyConnection, relation: str, key: str) -> pd.DataFrame:
    rows = connection.table(relation)
    step = -(-len(rows) // LARGEST_FRAME)
    if step > 1:
        rows = rows.filter(f"hash({key}) % {step} = 0")
    return rows.order(key).df()


def _findings(relation: str, result: Any) -> list[Finding]:
    findings = []
    for run in result.run_results.values():
        for outcome in run.results:
            config, found = outcome.expectation_config, outcome.result
            key, column = KEYS[relation], config.kwargs.get("column", "")
            failing = [
                (row[key], row.get(column)) for row in found.get("unexpected_index_list") or []
            ]
            findings.append(
                Finding(
                    relation=relation,
                    expectation=config.type.removeprefix("expect_"),
                    column=column,
                    success=bool(outcome.success),
                    observed=_observed(outcome),
                    failing=sorted(failing, key=lambda row: row[0]),
                    rows=int(found.get("element_count") or 0),
                    bounds=dict(config.kwargs),
                )
            )
    return findings


def _observed(outcome: Any) -> str:
    if outcome.exception_info.get("raised_exception"):
        return str(outcome.exception_info.get("exception_message"))
    value = outcome.result.get("observed_value")
    if value is not None:
        return f"{value:,.6g}" if isinstance(value, int | float) else str(value)
    share = outcome.result.get("unexpected_percent") or 0.0
    return f"{share:.2f} % unexpected"
