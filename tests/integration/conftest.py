import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pytest

from tests.waiting import LONGEST

ROOT = Path(__file__).parents[2]
SEED = ROOT / "seeds" / "Mall_Customers.csv"
PROJECT = ("dbt_project.yml", "profiles.yml", "dbt_project", "python_models", "seeds", "analyses")
# Unit tests bring rows of their own and take a fifth of a build: `mall` runs them.
WITHOUT_UNIT_TESTS = ("--exclude-resource-types", "unit_test")
WITHOUT_TESTS = (*WITHOUT_UNIT_TESTS, "test")
# What BI reads of the segments themselves: a build of the same customers changes no byte of it.
SERVING_MARTS = (
    "customer_segments",
    "segment_profiles",
    "segment_centroids",
    "segment_traits",
    "segment_rules",
    "segment_trust",
    "assignment_reasons",
    "k_selection",
    "segmentation_quality",
    "data_quality_summary",
    "segment_drift",
    "feature_distributions",
    "feature_summaries",
    "feature_correlations",
    "feature_missingness",
    "outliers",
    "outlier_customers",
    "age_bands",
    "algorithm_comparison",
    "algorithm_assignments",
    "customer_silhouettes",
    "cluster_tree",
)
# What tells of one build after the other.
HISTORY_MARTS = (
    "builds",
    "erasures",
    "model_runs",
    "segment_history",
    "segment_registry",
    "segment_migrations",
)
# Columns that name or time a build.
STAMPS = (
    "segmented_at",
    "published_at",
    "fitted_at",
    "born_at",
    "last_seen_at",
    "baseline_registered_at",
    "duration_seconds",
    "seconds",
    "build_id",
    "model_id",
    "previous_build_id",
    "baseline_build_id",
)


class Project:
    """A copy of the dbt project with a database of its own."""

    def __init__(self, folder: Path) -> None:
        self._set_places(folder)
        for name in PROJECT:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        for name in ("dbt", "expectations"):
            shutil.copytree(ROOT / "tests" / name, folder / "tests" / name)

    @classmethod
    def at(cls, folder: Path) -> "Project":
        """Return the project that a folder already holds."""
        project = cls.__new__(cls)
        project._set_places(folder)
        return project

    def _set_places(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "dev.duckdb"
        self.warehouse = folder / "warehouse" / "mall_segments.duckdb"
        self.published = folder / "published" / "mall_segments.duckdb"

    @property
    def seed(self) -> Path:
        return self.folder / "seeds" / "Mall_Customers.csv"

    def write_seed(self, rows: Iterable[Sequence[object]]) -> None:
        """Put other rows under the header of the mall customers."""
        header = SEED.read_text().splitlines()[0]
        lines = [header, *(",".join(map(str, row)) for row in rows)]
        self.seed.write_text("\n".join(lines) + "\n")

    def run(self, command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment as a user does, in the folder of the project."""
        with self.start(command, *arguments) as process:
            out, err = process.communicate(timeout=LONGEST)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def start(
        self, command: str, *arguments: object, environment: Sequence[str] = ()
    ) -> subprocess.Popen[str]:
        """Start a command in the folder of the project; of our variables it sees those named."""
        ours = ("DBT_", "MALL_SEGMENTS_")
        return subprocess.Popen(
            [Path(sys.executable).with_name(command), *map(str, arguments)],
            cwd=self.folder,
            env={
                name: value
                for name, value in os.environ.items()
                if name in environment or not name.startswith(ours)
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def dbt(self, *arguments: str, **variables: object) -> subprocess.CompletedProcess[str]:
        """Run dbt with some variables."""
        extra = ["--vars", json.dumps(variables)] if variables else []
        return self.run("dbt", "--no-use-colors", *arguments, *extra)

    def build(self, *arguments: str, **variables: object) -> str:
        """Run dbt build without its tests, expect success, and return what it printed."""
        return self._build(*WITHOUT_TESTS, *arguments, **variables)

    def tested_build(self, *arguments: str, **variables: object) -> str:
        """Do the same with the tests of the data."""
        return self._build(*WITHOUT_UNIT_TESTS, *arguments, **variables)

    def _build(self, *arguments: str, **variables: object) -> str:
        result = self.dbt("build", *arguments, **variables)
        assert result.returncode == 0, result.stdout
        return result.stdout

    def query(self, sql: str, database: Path | None = None) -> list[tuple]:
        with duckdb.connect(str(database or self.database), read_only=True) as connection:
            return connection.sql(sql).fetchall()

    def marts(
        self, database: Path | None = None, names: tuple[str, ...] = SERVING_MARTS
    ) -> dict[str, list[tuple]]:
        """Marts row by row as stored, of the last build, without what names the build."""
        with duckdb.connect(str(database or self.database), read_only=True) as connection:
            contents = {}
            for mart in names:
                relation = connection.table(f"marts.{mart}")
                if "build_id" in relation.columns:
                    last = "(select build_id from marts.segmentation_quality)"
                    relation = relation.filter(f"build_id = {last}")
                columns = [name for name in relation.columns if name not in STAMPS]
                contents[mart] = relation.project(", ".join(columns)).fetchall()
            return contents


def seed_rows() -> list[list[str]]:
    """The rows of the mall customers, as they are spelled."""
    return [row.split(",") for row in SEED.read_text().splitlines()[1:]]


@pytest.fixture
def project(mall, tmp_path):
    """A copy of the project that nothing was built in; dbt parses only what a test changes."""
    project = Project(tmp_path)
    parsed = Path("target") / "partial_parse.msgpack"
    (tmp_path / parsed).parent.mkdir()
    shutil.copy(mall.folder / parsed, tmp_path / parsed)
    return project


@pytest.fixture
def built(mall, project):
    """A copy of the project that dbt built once from the mall customers."""
    shutil.copy(mall.database, project.database)
    shutil.copytree(mall.folder / "target", project.folder / "target", dirs_exist_ok=True)
    return project


@pytest.fixture
def production(first_build, tmp_path):
    """A copy of the project with one published build."""
    project = Project(tmp_path)
    for name in ("warehouse", "published", "target"):
        shutil.copytree(first_build.folder / name, project.folder / name)
    return project
