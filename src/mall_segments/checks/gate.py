"""The expectations as a gate: a candidate that does not meet them is not published."""

from __future__ import annotations

from pathlib import Path

from mall_segments.checks import baseline as baselines
from mall_segments.checks.checkpoint import measure_baseline, run_checkpoint
from mall_segments.checks.sentences import DRIFT, sentence
from mall_segments.errors import AuditFailedError
from mall_segments.k_choice import SMALLEST_SHARE


def require_expectations(
    candidate: Path,
    build_id: str,
    first_baseline: Path | None,
    site: Path,
    *,
    update_baseline: bool = False,
    smallest_share: float = SMALLEST_SHARE,
) -> None:
    """Run the checkpoint on a candidate, with the baseline that its warehouse has registered.

    Parameters
    ----------
    candidate : DuckDB file of the candidate; a new baseline is registered in it
    build_id : build that a new baseline comes from
    first_baseline : file with the baseline of a warehouse that has none; its own customers if None
    site : folder of the Data Docs
    update_baseline : register the customers of the candidate as the baseline
    smallest_share : of the customers, expected in each segment

    Raises
    ------
    AuditFailedError
        With every expectation that is not met.
    """
    baseline = None if update_baseline else baselines.registered(candidate)
    if baseline is None:
        if first_baseline and not update_baseline:
            baseline = baselines.load(first_baseline)
        else:
            baseline = measure_baseline(candidate)
        baselines.register(candidate, build_id, baseline)
    failed = [
        finding
        for finding in run_checkpoint(candidate, site, baseline, smallest_share)
        if not finding.success
    ]
    if failed:
        problems = [sentence(finding) for finding in failed]
        if any(finding.expectation == DRIFT for finding in failed):
            problems.append(
                "The customers are not distributed as those of the registered baseline."
            )
        raise AuditFailedError([*problems, f"Data Docs: {site / 'index.html'}"])
