"""A site is written aside, and takes the place of the one before when it is complete."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from mall_segments.checks.baseline import load, registered
from mall_segments.checks.checkpoint import run_checkpoint
from mall_segments.checks.offline_docs import NotOurSiteError
from mall_segments.outputs import is_ours
from mall_segments.publish.durable import folder_written_aside
from mall_segments.site.dbt_docs import write_dbt_docs
from mall_segments.site.index_page import GENERATOR, Part, index_page, read_build

INDEX = "index.html"
DBT_DOCS = "dbt.html"
DATA_DOCS = "data_docs"
REPORT = "report.html"
PARTS = {INDEX, DBT_DOCS, DATA_DOCS, REPORT}


def write_site(
    folder: Path,
    project: Path,
    database: Path,
    report: Path,
    first_baseline: Path,
    say: Callable[[str], None],
) -> list[Part]:
    """Write the site about a build, and return what is in it.

    Parameters
    ----------
    folder : where the site goes; an earlier site is replaced, nothing else
    project : folder of the dbt project
    database : DuckDB file of the build, with all its layers
    report : page that `mall-segments report` wrote; left out where it is not there
    first_baseline : what drift is measured against where the build has no baseline of its own
    say : called with what is done next

    Raises
    ------
    NotOurSiteError
        If the folder holds anything but a site of ours.
    NotBuiltError
        If there is no build in the database.
    DbtDocsError
        If dbt cannot write its documentation.
    """
    build = read_build(database)
    _require_ours(folder)
    with folder_written_aside(folder) as new:
        say("dbt's documentation")
        write_dbt_docs(project, database, new / DBT_DOCS)
        say("Data Docs")
        findings = run_checkpoint(
            database, new / DATA_DOCS, registered(database) or load(first_baseline)
        )
        met = sum(finding.success for finding in findings)
        parts = [
            Part(
                f"{DATA_DOCS}/{INDEX}",
                "Data quality",
                f"Great Expectations on this build: {met} of {len(findings)} expectations are met.",
            ),
            Part(
                DBT_DOCS,
                "Models, columns and lineage",
                "dbt's documentation: what every relation and column means, how many rows it has,"
                " what it is made of, and who reads it.",
            ),
        ]
        if report.is_file():
            shutil.copy(report, new / REPORT)
            parts.insert(
                0,
                Part(
                    REPORT,
                    "Segment report",
                    "Who the customers are, what to do for each segment, and whether to trust it.",
                ),
            )
        (new / INDEX).write_text(index_page(build, parts), encoding="utf-8")
    return parts


def _require_ours(folder: Path) -> None:
    is_site = is_ours(folder / INDEX, f'content="{GENERATOR}"')
    others = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    if folder.exists() and others - (PARTS if is_site else set()):
        raise NotOurSiteError(folder, "site of ours", "--to")
