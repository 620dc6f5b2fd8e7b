"""Run dbt build into a candidate, node by node for whoever watches, and say what it made."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mall_segments.environment import CANDIDATE
from mall_segments.errors import AuditFailedError, MallSegmentsError
from mall_segments.publish.database import MARTS, StorageError
from mall_segments.publish.dbt_folders import own_folders
from mall_segments.publish.progress import Node, Progress

# Options of dbt that `build` sets itself, with their values; the others it is given.
OWN_OPTIONS = {
    "--target": "prod",
    "--log-format": "json",
    "--log-level": "info",
    "--no-use-colors": "",
    "--no-quiet": "",
    "--write-json": "",
    # They bring rows of their own and say nothing of these customers: for development and CI.
    "--exclude-resource-types": "unit_test",
}
PATH_OPTIONS = ("--target-path", "--log-path", "--project-dir", "--profiles-dir")
TESTS = frozenset({"test", "unit_test"})
# What models and tests say by exceptions.warn.
WARNING = "JinjaLogWarning"
STARTS = "LogStartLine"
TEST_RESULT = "LogTestResult"
RESULTS = frozenset(
    {"LogModelResult", TEST_RESULT, "LogSeedResult", "LogSnapshotResult", "SkippingDetails"}
)
FAILED = frozenset({"error", "fail", "runtime error"})
UNDONE = frozenset({"started", "skipped"})
# What a refusal of ours looks like in dbt's report on a Python model.
OWN_ERROR = re.compile(r"mall_segments\.[\w.]+Error: ([A-Z_]+): (.+)")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class BuildFailedError(MallSegmentsError):
    """A build that dbt could not finish."""

    exit_code = 1

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(
            "BUILD_FAILED",
            "\n".join(problems) or "dbt ended without a reason.",
            "Nothing was published. The whole log is in logs/dbt.log.",
        )


class RefusedInBuildError(MallSegmentsError):
    """A source or setting that a Python model refused."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, "Nothing was published.")


@dataclass(frozen=True)
class Made:
    """What a run of dbt made.

    Attributes
    ----------
    build_id : dbt's invocation id
    marts : columns of every mart that the project declares
    histories : marts that keep the rows of earlier builds
    not_built : marts that the project declares and this run did not build
    not_tested : data tests that the project declares and this run did not pass
    """

    build_id: str
    marts: Mapping[str, Sequence[str]]
    histories: frozenset[str] = frozenset()
    not_built: Sequence[str] = ()
    not_tested: Sequence[str] = ()


@dataclass
class _Heard:
    """What dbt's log has said so far."""

    build_id: str = ""
    errors: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    failed_kinds: set[str] = field(default_factory=set)
    built: set[str] = field(default_factory=set)


def run_dbt(
    project: Path,
    candidate: Path,
    variables: Mapping[str, object],
    arguments: Sequence[str],
    progress: Progress,
) -> Made:
    """Run `dbt build` on the target `prod`, whose file is the candidate.

    Raises
    ------
    BuildFailedError
        If a model failed, or dbt itself.
    AuditFailedError
        If every model was built and a test failed.
    RefusedInBuildError, StorageError
        If that is what a model failed of.
    """
    command = [sys.executable, "-m", "mall_segments.publish.dbt_child", "build", *arguments]
    command += [part for option in OWN_OPTIONS.items() for part in option if part]
    command += ["--project-dir", str(project), "--profiles-dir", str(project)]
    if variables:
        command += ["--vars", json.dumps(variables)]
    with own_folders(project, candidate.parent) as (target, logs):
        command += ["--target-path", str(target), "--log-path", str(logs)]
        heard = _run(command, project, candidate, progress)
        return _made(target, heard)


def _run(command: list[str], project: Path, candidate: Path, progress: Progress) -> _Heard:
    heard = _Heard()
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=project,
        env=_environment(candidate),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        # Ctrl-C reaches the build alone, which then ends dbt.
        start_new_session=True,
    ) as dbt:
        try:
            _listen(dbt.stdout or (), heard, progress)
        except BaseException:
            dbt.kill()
            raise
    if dbt.returncode:
        raise _failure(heard)
    return heard


def _environment(candidate: Path) -> dict[str, str]:
    """Return the environment of dbt, without the options that its variables would set."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    return ours | {CANDIDATE: str(candidate.resolve())}


def _listen(lines: Iterable[str], heard: _Heard, progress: Progress) -> None:
    for line in lines:
        try:
            event = json.loads(line)
            info, data = event["info"], event["data"]
        except (ValueError, KeyError, TypeError):
            # dbt's complaints about its own arguments are plain text; so are warnings of Python.
            if line.strip():
                heard.plain.append(ANSI.sub("", line).rstrip())
            continue
        heard.build_id = info["invocation_id"]
        if info["name"] in RESULTS or info["name"] == STARTS:
            _note(info["name"], data, heard, progress)
        elif info["name"] == WARNING:
            progress.note(ANSI.sub("", data["msg"]).strip())
        elif info["level"] == "error":
            heard.errors.append(ANSI.sub("", info["msg"]).strip())


def _note(name: str, data: Mapping[str, Any], heard: _Heard, progress: Progress) -> None:
    node = data["node_info"]
    label = node["node_relation"]["relation_name"].replace('"', "").partition(".")[2]
    total = data.get("total") or data.get("num_models") or 0
    kind = "test" if node["resource_type"] in TESTS else node["resource_type"]
    # Unit tests have a status of their own only.
    ended = data["status"] if name == TEST_RESULT else node["node_status"]
    status = "started" if name == STARTS else ended.lower()
    if status in FAILED:
        heard.failed_kinds.add(kind)
    elif status not in UNDONE:
        heard.built.add(node["unique_id"])
    seconds = float(data.get("execution_time") or 0)
    progress.node(Node(kind, label or node["node_name"], status, total, seconds))


def _failure(heard: _Heard) -> MallSegmentsError:
    text = "\n".join(heard.errors)
    if refusal := OWN_ERROR.search(text):
        return RefusedInBuildError(refusal[1], refusal[2].strip())
    if "No space left on device" in text:
        return StorageError("no space left on device while dbt was building")
    if heard.failed_kinds == {"test"}:
        return AuditFailedError(heard.errors)
    return BuildFailedError(heard.errors or heard.plain)


def _made(target: Path, heard: _Heard) -> Made:
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    marts = {
        unique_id: node
        for unique_id, node in nodes.items()
        if node["resource_type"] == "model" and node["schema"] == MARTS
    }
    # The tests of a model that is switched off stand in the manifest too.
    tests = {
        key: node
        for key, node in nodes.items()
        if node["resource_type"] == "test" and node["config"]["enabled"]
    }
    return Made(
        build_id=heard.build_id,
        marts={node["alias"]: list(node["columns"]) for node in marts.values()},
        histories=frozenset(
            node["alias"]
            for node in marts.values()
            if node["config"]["materialized"] == "incremental"
        ),
        not_built=sorted(node["alias"] for key, node in marts.items() if key not in heard.built),
        not_tested=sorted(node["name"] for key, node in tests.items() if key not in heard.built),
    )
