"""Builds on a standalone cluster of Spark, and what its event log says of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

# Two workers of one core and one gigabyte share a machine with the tests.
SETTINGS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.executor.memory": "768m",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.catalogImplementation": "hive",
    "spark.ui.enabled": "false",
    "spark.eventLog.enabled": "true",
    # One file of JSON lines.
    "spark.eventLog.compress": "false",
    "spark.eventLog.rolling.enabled": "false",
}
STARTED = re.compile(r"Started daemon with process name: (\d+)@")


def write_settings(folder: Path) -> dict[str, str]:
    """Write what a cluster's spark-defaults.conf says, and return the environment that names it.

    The catalog and its tables, as `warehouse`, and the event log go to the folder.
    """
    (events := folder / "events").mkdir()
    catalog = f"jdbc:derby:;databaseName={folder / 'metastore'};create=true"
    settings = {
        **SETTINGS,
        "spark.eventLog.dir": events.as_uri(),
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
        "spark.hadoop.javax.jdo.option.ConnectionURL": catalog,
    }
    lines = "".join(f"{key} {value}\n" for key, value in settings.items())
    (configuration := folder / "conf").mkdir()
    (configuration / "spark-defaults.conf").write_text(lines)
    return {"SPARK_CONF_DIR": str(configuration)}


def application_of(folder: Path) -> str:
    """Return the id of the one application of a cluster that runs or ran with these settings."""
    return _log(folder).name.partition(".")[0]


def _log(folder: Path) -> Path:
    (path,) = (folder / "events").glob("app-*")
    return path


@dataclass(frozen=True)
class Task:
    """An attempt at a task: where it ran, how it ended, and the rows that it moved."""

    stage: int
    index: int
    executor: str
    ended_at: int
    end: str
    rows_read: int
    rows_to_shuffle: int
    rows_from_shuffle: int
    rows_written: int

    @property
    def is_done(self) -> bool:
        return self.end == "Success"


@dataclass(frozen=True)
class EventLog:
    """What an application did, as Spark recorded it."""

    events: list[dict[str, Any]]

    @classmethod
    def of_build(cls, folder: Path) -> EventLog:
        """Read the log of the application that ran with the settings in a folder."""
        with _log(folder).open(encoding="utf-8") as lines:
            return cls([json.loads(line) for line in lines])

    def of_kind(self, name: str) -> Iterator[dict[str, Any]]:
        return (event for event in self.events if event["Event"].endswith(name))

    @property
    def added(self) -> dict[str, int]:
        """When each executor was there, by its id."""
        return {one["Executor ID"]: one["Timestamp"] for one in self.of_kind("ExecutorAdded")}

    @property
    def removed(self) -> dict[str, int]:
        return {one["Executor ID"]: one["Timestamp"] for one in self.of_kind("ExecutorRemoved")}

    @cached_property
    def tasks(self) -> list[Task]:
        return [_task(event) for event in self.of_kind("ListenerTaskEnd")]

    def that_wrote(self, table: str) -> tuple[str, list[Task]]:
        """Return the plan of the statement that wrote a table, and the tasks of its stages.

        dbt writes a table aside, so its place is named in the plan by `__dbt_tmp`.
        """
        (execution,) = (
            one
            for one in self.of_kind("SQLExecutionStart")
            if re.search(f"file:[^,]*/{table}__dbt_tmp, ", one["physicalPlanDescription"])
        )
        stages = {
            stage
            for job in self.of_kind("ListenerJobStart")
            if job["Properties"].get("spark.sql.execution.id") == str(execution["executionId"])
            for stage in job["Stage IDs"]
        }
        tasks = [task for task in self.tasks if task.stage in stages]
        return execution["physicalPlanDescription"], tasks


def _task(event: Mapping[str, Any]) -> Task:
    # A task that was lost with its executor has no metrics.
    metrics = event.get("Task Metrics") or {}

    def rows(of: str, name: str) -> int:
        return int(metrics.get(of, {}).get(name, 0))

    shuffled = metrics.get("Shuffle Read Metrics", {})
    return Task(
        stage=event["Stage ID"],
        index=event["Task Info"]["Index"],
        executor=event["Task Info"]["Executor ID"],
        ended_at=event["Task Info"]["Finish Time"],
        end=event["Task End Reason"]["Reason"],
        rows_read=rows("Input Metrics", "Records Read"),
        rows_to_shuffle=rows("Shuffle Write Metrics", "Shuffle Records Written"),
        rows_from_shuffle=shuffled.get("Total Records Read", 0),
        rows_written=rows("Output Metrics", "Records Written"),
    )


def executor_processes(cluster: Path, application: str) -> dict[str, int]:
    """Return the process of each executor of an application, as it said itself, by its id."""
    return {
        said.parent.name: int(started[1])
        for said in cluster.glob(f"worker-*/{application}/*/stderr")
        if (started := STARTED.search(said.read_text(errors="replace")))
    }
