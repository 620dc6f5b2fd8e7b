"""The project on servers: Spark Connect, Sail, and a standalone master with workers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, QUICK_JAVA, write_profile
from dbt_runs import dbt_process
from servers import connect_server, master, sail_server

pytestmark = pytest.mark.spark_servers
QUERY = """
select (select max(round) from {{ ref('rounds') }}) as rounds,
       (select count(*) from {{ ref('runs') }}) as runs,
       (select `sum(amount)` from {{ ref('totals_read') }}) as total,
       (select sum(twice) from {{ ref('doubled') }}) as doubled,
       (select count(*) from {{ ref('place_history') }}) as stays
"""
# Sail cannot add a column to a table.
WITHOUT_NEW_COLUMNS = ["runs", "place_history"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT, tmp_path / "shop"))


def built(shop: Path, *arguments: str) -> dict[str, str]:
    said = dbt_process(shop, "build", *arguments)
    results = json.loads((shop / "target" / "run_results.json").read_text())["results"]
    statuses = {each["unique_id"].split(".")[2]: each["status"] for each in results}
    assert set(statuses.values()) == {"success", "pass"}, said.stdout + said.stderr
    return statuses


def shown(shop: Path, query: str) -> Any:
    said = dbt_process(shop, "show", "-q", "--output", "json", "--inline", query)
    assert said.returncode == 0, said.stdout + said.stderr
    return json.loads(said.stdout)["show"][0]


def test_spark_connect(shop: Path, tmp_path: Path) -> None:
    with connect_server(tmp_path / "server") as remote:
        write_profile(shop, {"schema": "main", "remote": remote})
        built(shop)
        built(shop, "--vars", "{moved: true}")
        assert shown(shop, QUERY) == {
            "rounds": 2,
            "runs": 2,
            "total": 30.75,
            "doubled": 12,
            "stays": 4,
        }
    refused = dbt_process(shop, "debug", "--connection")
    assert "cannot be reached" in refused.stdout


def test_sail(shop: Path, tmp_path: Path) -> None:
    """Tables of Sail belong to a session, so the profile names one."""
    with sail_server(tmp_path / "server") as remote:
        session = "/;session_id=00112233-4455-6677-8899-aabbccddeeff"
        write_profile(shop, {"schema": "main", "remote": remote + session})
        built(shop)
        built(shop, "--vars", "{moved: true}", "--exclude", *WITHOUT_NEW_COLUMNS)
        assert shown(shop, QUERY) == {
            "rounds": 2,
            "runs": 1,
            "total": 30.75,
            "doubled": 12,
            "stays": 3,
        }


def test_a_standalone_master_with_two_workers(shop: Path, tmp_path: Path) -> None:
    with master(tmp_path / "server", workers=2) as url:
        write_profile(shop, cluster_profile(shop, url))
        built(shop)
        assert shown(shop, QUERY)["total"] == 30.75


def test_a_master_without_workers_is_not_waited_for_for_ever(shop: Path, tmp_path: Path) -> None:
    with master(tmp_path / "server", workers=0) as url:
        write_profile(shop, {**cluster_profile(shop, url), "connect_timeout": 40})
        refused = dbt_process(shop, "debug", "--connection")
        assert f"The Spark session on {url} did not start within 40 seconds" in refused.stdout
        assert "workers with free cores and memory" in refused.stdout


def cluster_profile(shop: Path, url: str) -> dict[str, Any]:
    return {
        "schema": "main",
        "master": url,
        "catalog_dir": str(shop / "catalog"),
        "server_side_parameters": {
            "spark.driver.host": "127.0.0.1",
            "spark.executor.memory": "512m",
            **QUICK_JAVA,
        },
    }
