"""The log of builds: what was published, what is served, what can be put back."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from mall_segments.errors import MallSegmentsError
from mall_segments.publish.database import (
    LOG,
    MARTS,
    DamagedWarehouseError,
    InUseError,
    build_of,
    reading,
)
from mall_segments.publish.places import Places


class NoSuchBuildError(MallSegmentsError):
    """A build that is not kept."""

    def __init__(self, wanted: str, kept: list[str]) -> None:
        listed = ", ".join(kept) or "none"
        super().__init__(
            "NO_SUCH_BUILD",
            f"{wanted}; the builds that are kept: {listed}.",
            "List them: mall-segments builds.",
        )


@dataclass(frozen=True)
class Build:
    """One row of the log of builds, as `marts.builds` describes its columns.

    Attributes
    ----------
    is_served : BI reads this build; None where the published file is locked, and nobody knows
    is_kept : its published file can be put back
    """

    build_id: str
    published_at: datetime
    customers: int
    rows_rejected: int
    k: int
    wcss: float
    input_fingerprint: str
    duration_seconds: float
    is_served: bool | None
    is_kept: bool


def builds(places: Places) -> list[Build]:
    """Return the log of builds, oldest first; empty if there was none."""
    if not places.warehouse.exists():
        return []
    try:
        served, is_known = build_of(places.published), True
    except InUseError:
        served, is_known = None, False
    return [
        Build(
            **row,
            is_served=row["build_id"] == served if is_known else None,
            is_kept=places.kept(row["build_id"]).exists(),
        )
        for row in read_log(places.warehouse)
    ]


def read_log(warehouse: Path) -> list[dict[str, Any]]:
    """Return the rows of audited builds in the order in which they were appended.

    Not in the order of their times: a clock that is set back must not make an old build the last.

    Raises
    ------
    DamagedWarehouseError, InUseError
    """
    columns = [field.name for field in fields(Build) if not field.name.startswith("is_")]
    try:
        with reading(warehouse) as connection:
            rows = connection.sql(
                f"select {', '.join(columns)} from {MARTS}.{LOG}"
                " where published_at is not null order by rowid"
            ).fetchall()
    except duckdb.CatalogException:
        return []
    except duckdb.Error as error:
        raise DamagedWarehouseError(warehouse, str(error).splitlines()[0]) from None
    return [dict(zip(columns, row, strict=True)) for row in rows]


def choose_build(log: list[Build], wanted: str | None) -> str:
    """Return the id of the build that is wanted, by default the one before that which is served.

    Raises
    ------
    NoSuchBuildError
    """
    kept = [build.build_id for build in log if build.is_kept]
    if wanted:
        matching = [build_id for build_id in kept if build_id.startswith(wanted)]
        if not matching:
            raise NoSuchBuildError(f"There is no build {wanted!r}", kept)
        if len(matching) > 1:
            raise NoSuchBuildError(f"{len(matching)} builds begin with {wanted!r}", kept)
        return matching[0]
    positions = [position for position, build in enumerate(log) if build.is_served]
    earlier = [build.build_id for build in log[: max(positions, default=0)] if build.is_kept]
    if not earlier:
        raise NoSuchBuildError("There is no build before the one that is served", kept)
    return earlier[-1]
