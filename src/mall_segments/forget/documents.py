"""What was written about builds and can show single customers: pages, logs, what was set aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mall_segments.checks.offline_docs import OFFLINE
from mall_segments.publish.database import write_ahead_log
from mall_segments.publish.durable import remove_folder
from mall_segments.publish.places import Places
from mall_segments.site.folder import is_our_site

REPORT_MARK = b'name="generator" content="mall-segments'
# A page says who made it at its top.
TOP = 4096


def remove_documents(places: Places, project: Path) -> list[Path]:
    """Remove the pages, logs and leftovers of a production, and return which there were.

    The pages list customers near a border, or rows that missed an expectation; a log may quote a
    row that was refused. Each can be written again from what stays.
    """
    found = list(_documents(places, project))
    for path in found:
        remove_folder(path) if path.is_dir() else path.unlink()
    return found


def _documents(places: Places, project: Path) -> Iterator[Path]:
    report = places.published.with_name("report.html")
    if report.is_file() and _is_our_page(report):
        yield report
    if is_our_site(project / "site"):
        yield project / "site"
    for offline in sorted((project / "target").rglob(str(OFFLINE))):
        yield offline.parents[len(OFFLINE.parts) - 1]
    yield from sorted((project / "target").rglob("run_results.json"))
    yield from sorted((project / "logs").glob("dbt.log*"))
    if places.failed_folder.is_dir():
        yield places.failed_folder
    log = write_ahead_log(places.published)
    yield from (path for path in (log.with_name(f"{log.name}.aside"),) if path.is_file())
    yield from sorted(places.kept_folder.glob("*.partial"))


def _is_our_page(page: Path) -> bool:
    with page.open("rb") as file:
        return REPORT_MARK in file.read(TOP)
