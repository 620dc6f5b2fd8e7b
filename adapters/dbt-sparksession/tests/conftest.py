"""One session for all tests of this folder, as dbt has one for all its threads."""

from __future__ import annotations

import gc
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt.adapters.sparksession import session as sessions
from dbt.adapters.sparksession.credentials import SparkSessionCredentials

PROJECT = Path(__file__).parent / "project"
# Half the CPU time of a Java process that lives for a minute.
QUICK_JAVA = {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("spark") is not None:
            # py4j leaves sockets to the garbage collector, dbt its logs.
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project, with a catalog of its own."""
    folder = tmp_path_factory.mktemp("spark") / "shop"
    shutil.copytree(PROJECT, folder)
    write_profile(folder, local_profile(folder))
    return folder


def local_profile(folder: Path) -> dict[str, Any]:
    return {
        "schema": "main",
        "master": "local[2]",
        "catalog_dir": str(folder / "catalog"),
        "spark_log": str(folder / "spark.log"),
        "server_side_parameters": {"spark.sql.session.timeZone": "UTC", **QUICK_JAVA},
    }


def write_profile(folder: Path, options: dict[str, Any]) -> None:
    output = {"type": "sparksession", "threads": 4, **options}
    profile = {"shop": {"target": "spark", "outputs": {"spark": output}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))


@pytest.fixture(scope="session")
def _end_of_the_session() -> Iterator[None]:
    yield
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        sessions.stop()
        gc.collect()


@pytest.fixture(scope="module")
def session(project: Path, _end_of_the_session: None) -> Any:
    return sessions.session_for(SparkSessionCredentials.from_dict(local_profile(project)))
