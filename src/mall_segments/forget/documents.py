"""What was written about builds and can show single customers: pages, logs, what was set aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mall_segments.checks.offline_docs import OFFLINE
from mall_segments.outputs import MARK, PAGE_MARK, is_ours
from mall_segments.publish.database import write_ahead_log
from mall_segments.publish.durable import remove_folder
from mall_segments.publish.places import Places
from mall_segments.site.folder import INDEX
from mall_segments.site.index_page import GENERATOR

PICTURES = ("*.svg", "*.png")


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
    folder, target = places.published.parent, project / "target"
    # A name that a killed command wrote under comes before that of the page itself.
    pages = [*folder.glob(".report.html.*.partial"), folder / "report.html"]
    yield from (page for page in pages if is_ours(page, PAGE_MARK))
    for pattern in PICTURES:
        yield from (path for path in (folder / "pictures").glob(pattern) if is_ours(path, MARK))
    yield from project.glob(".site.aside-*")
    if is_ours(project / "site" / INDEX, f'content="{GENERATOR}"'):
        yield project / "site"
    for offline in sorted(target.rglob(str(OFFLINE))):
        yield offline.parents[len(OFFLINE.parts) - 1]
    yield from sorted(target.rglob("run_results.json*"))
    yield from sorted((project / "logs").glob("dbt.log*"))
    if places.failed_folder.is_dir():
        yield places.failed_folder
    log = write_ahead_log(places.published)
    yield from sorted(folder.glob(f"{log.name}.aside*"))
    yield from sorted(places.kept_folder.glob("*.partial"))
