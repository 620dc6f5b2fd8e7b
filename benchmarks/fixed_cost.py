"""What a build costs whatever the number of customers: `dbt build` of the 200 of the seed.

It prints two tables for RESULTS.md, in CPU seconds: whole commands, cold (nothing parsed, no
database) and warm, each a process of its own, several times in turn; and where a warm build on one
dbt thread spends them. The first Python model that fits pays for the imports of scikit-learn.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from processes import Run, measure

DBT = "from dbt.cli.main import cli; cli()"
KINDS = {
    "seed": "seeds",
    "model python": "Python models",
    "model sql": "SQL models",
    "snapshot": "snapshot",
    "unit_test": "unit tests",
    "test": "data tests",
}
SLOWEST_SHOWN = 5


def main() -> None:
    """Measure and print, or be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.profile:
        profile(options.profile)
        return
    with tempfile.TemporaryDirectory() as folder:
        commands, phases = measure_all(Path(folder), options.runs)
    print_commands(commands)
    print_phases(phases)


def measure_all(
    folder: Path, runs: int
) -> tuple[dict[str, list[float]], list[dict[str, tuple[int, float]]]]:
    """Return the CPU seconds of every command in every run, and the phases of every build."""
    commands: dict[str, list[float]] = defaultdict(list)
    phases = []
    for _ in range(runs):
        commands["import sklearn"].append(cpu_seconds(["-c", "import sklearn.cluster"], folder))
        commands["import dbt"].append(cpu_seconds(["-c", "import dbt.cli.main"], folder))
        for command in ("parse", "build"):
            for temperature in ("cold", "warm"):
                if temperature == "cold":
                    shutil.rmtree(folder)
                    folder.mkdir()
                seconds = cpu_seconds(["-c", DBT, "-q", command], folder)
                commands[f"dbt {command}, {temperature}"].append(seconds)
        found = folder / "phases.json"
        cpu_seconds([__file__, "--profile", str(found)], folder)
        phases.append(json.loads(found.read_text(encoding="utf-8")))
    return commands, phases


def cpu_seconds(arguments: list[str], folder: Path) -> float:
    """Run Python in the project, everything it writes in the folder; fail if it fails."""
    environment = {
        "MALL_SEGMENTS_DATABASE": str(folder / "bench.duckdb"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    run = measure([sys.executable, *arguments], environment)
    assert isinstance(run, Run)
    return run.cpu_seconds


def profile(path: Path) -> None:
    """Build node by node, and write how many nodes and CPU seconds each phase has."""
    from dbt.cli.main import dbtRunner

    begun: dict[str, float] = {}
    spent: dict[str, float] = {}
    imported = time.process_time()

    def listen(event) -> None:  # type: ignore[no-untyped-def]
        if event.info.name == "NodeStart":
            begun[event.data.node_info.unique_id] = time.process_time()
        elif event.info.name == "NodeFinished":
            node = event.data.node_info.unique_id
            spent[node] = time.process_time() - begun[node]

    result = dbtRunner(callbacks=[listen]).invoke(["-q", "build", "--threads", "1"])
    if not result.success:
        sys.exit("dbt build failed")
    nodes = {one.node.unique_id: one.node for one in result.result.results}
    phases = {"start of Python and dbt": (0, imported)}
    for kind, label in KINDS.items():
        of_kind = [seconds for node, seconds in spent.items() if _kind(nodes[node]) == kind]
        phases[label] = (len(of_kind), sum(of_kind))
    other = time.process_time() - imported - sum(spent.values())
    phases["parse, graph, catalogue, artefacts"] = (0, other)
    for node in sorted(spent, key=lambda node: -spent[node])[:SLOWEST_SHOWN]:
        phases[f"of these `{nodes[node].name}`"] = (1, spent[node])
    path.write_text(json.dumps(phases), encoding="utf-8")


def _kind(node) -> str:  # type: ignore[no-untyped-def]
    kind = str(node.resource_type)
    return f"{kind} {node.language}" if kind == "model" else kind


def print_commands(commands: dict[str, list[float]]) -> None:
    """Print the median of each command."""
    print("| command | CPU s |\n|---|---|")
    for name, seconds in commands.items():
        print(f"| {name} | {statistics.median(seconds):.1f} |")


def print_phases(runs: list[dict[str, tuple[int, float]]]) -> None:
    """Print the median of each phase that every run has."""
    print("\n| phase of a warm build | nodes | CPU s | s per node |\n|---|---|---|---|")
    for name, (nodes, _) in runs[0].items():
        if all(name in run for run in runs):
            seconds = statistics.median(run[name][1] for run in runs)
            each = f"{seconds / nodes:.3f}" if nodes else ""
            print(f"| {name} | {nodes or ''} | {seconds:.2f} | {each} |")


if __name__ == "__main__":
    main()
