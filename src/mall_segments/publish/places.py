"""Where the two files of production are, and what stands beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """The files and folders of one production.

    Attributes
    ----------
    warehouse : private DuckDB file: raw text, quarantine, features, models, history
    published : DuckDB file that BI reads: the marts
    """

    warehouse: Path
    published: Path

    @property
    def lock(self) -> Path:
        """File that the running build holds; it says who that is."""
        return self.warehouse.with_suffix(".lock")

    @property
    def candidates_folder(self) -> Path:
        """Folder of the build at work, with a folder for its private copy of the warehouse."""
        return self.warehouse.parent / "candidates"

    @property
    def failed_folder(self) -> Path:
        """Folder of the last candidate that failed and was to be kept."""
        return self.warehouse.parent / "failed"

    @property
    def next_folder(self) -> Path:
        """Folder of the published file to be, on the same file system as the one it replaces."""
        return self.published.parent / ".next"

    @property
    def kept_folder(self) -> Path:
        """Folder of the published files of this and earlier builds, each named by its build id."""
        return self.published.parent / "kept"

    @property
    def rollback(self) -> Path:
        """File that says which earlier build is served instead of the last one."""
        return self.kept_folder / "rollback.json"

    @property
    def next(self) -> Path:
        """Published file to be."""
        return self.next_folder / self.published.name

    def kept(self, build_id: str) -> Path:
        """Return where the published file of a build is kept."""
        return self.kept_folder / f"{build_id}.duckdb"
