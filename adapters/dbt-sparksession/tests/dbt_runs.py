"""Runs of dbt in this process, which share its session."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dbt.cli.main import dbtRunner
from tests.waiting import LONGEST


@dataclass(frozen=True)
class Run:
    """What dbt said of each node, by name."""

    statuses: Mapping[str, str]
    messages: Mapping[str, str]


def build(project: Path, *arguments: str) -> Run:
    folder = ["--project-dir", str(project), "--profiles-dir", str(project)]
    result = dbtRunner().invoke(["--quiet", "build", *folder, *arguments])
    assert result.exception is None, result.exception
    return Run(
        {each.node.name: each.status for each in result.result},
        {each.node.name: each.message or "" for each in result.result},
    )


def dbt_process(
    project: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "dbt", "--no-use-colors", *arguments],
        cwd=project,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
