"""Where the two files of production are, and what stands beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mall_segments.outputs import SamePlaceError, same_file


@dataclass(frozen=True)
class Places:
    """The files and folders of one production.

    What stands beside a file begins with its name, so that several productions share a folder.

    Attributes
    ----------
    warehouse : private DuckDB file: raw text, quarantine, features, models, history
    published : DuckDB file that BI reads: the marts

    Raises
    ------
    SamePlaceError
    """

    warehouse: Path
    published: Path

    def __post_init__(self) -> None:
        if same_file(self.warehouse, self.published):
            raise SamePlaceError(
                "The warehouse and the published file",
                self.warehouse,
                "Give --published another path: BI must not read the private layers.",
            )

    @property
    def locks(self) -> list[Path]:
        """Files that the running build holds; they say who that is."""
        return [_beside(path, "lock") for path in (self.warehouse, self.published)]

    @property
    def candidates_folder(self) -> Path:
        """Folder of the build at work, with a folder for its private copy of the warehouse."""
        return _beside(self.warehouse, "candidates")

    @property
    def failed_folder(self) -> Path:
        """Folder of the last candidate that failed and was to be kept."""
        return _beside(self.warehouse, "failed")

    @property
    def next_folder(self) -> Path:
        """Folder of the published file to be, on the same file system as the one it replaces."""
        return _beside(self.published, "next")

    @property
    def next(self) -> Path:
        """Published file to be."""
        return self.next_folder / self.published.name

    @property
    def kept_folder(self) -> Path:
        """Folder of the published files of the last builds, each named by its build id."""
        return _beside(self.published, "kept")

    def kept(self, build_id: str) -> Path:
        """Return where the published file of a build is kept."""
        return self.kept_folder / f"{build_id}.duckdb"

    @property
    def rollback(self) -> Path:
        """File that says which earlier build is served instead of the last one."""
        return self.kept_folder / "rollback.json"


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f"{path.name}.{what}")
