"""Time, memory and quality of segmenting customers, against peers and the floor.

Run it with `make bench` or `make bench-full`. For every kind and number of customers it makes a
DuckDB file, runs each case on it as a process of its own, all of them in turn and that several
times, and writes medians as a section of RESULTS.md after each file.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import results
from processes import Run, machine, measure, output

HERE = Path(__file__).parent
PACKAGES = (
    "duckdb",
    "numpy",
    "pandas",
    "scikit-learn",
    "faiss-cpu",
    "scikit-learn-intelex",
    "pyspark",
)
DROP = """
import duckdb, sys
duckdb.connect(sys.argv[1]).execute(f"drop table if exists {sys.argv[2]}")
"""
READING = """\
CPU is user and system time of the whole process, its start what comes before it opens the database:
Python and imports (what a library imports later counts as work). Ratios are of CPU time without the
start. WCSS and the adjusted Rand index (ARI, against the components that the customers were drawn
from) are computed in SQL from the rows that a case wrote. In a sweep a case reports its WCSS and
silhouette for each k (peers that of 10,000 sampled customers, Spark that of squared distances);
the WCSS shown is that of its worst k, and the rows written are those of the k with the highest
silhouette."""
# Threads of OpenMP that wait for each other shall sleep. By default they spin, so that CPU time of
# peers would depend on what else the machine does: up to twentyfold where it is busy.
SLEEPING_THREADS = {"OMP_WAIT_POLICY": "passive"}
TITLES = {
    "fixed": "k = 5",
    "sweep": "k = 2 to 10 with a silhouette for each, then the k of the highest",
}


@dataclass
class Outcome:
    """What the runs of one case gave."""

    case: str
    title: str
    runs: list[Run] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    over_limit: bool = False
    notes: dict[str, Any] = field(default_factory=dict)
    quality: dict[str, float] = field(default_factory=dict)

    @property
    def run(self) -> Run:
        """The medians of the runs."""
        return Run.median(self.runs)

    @property
    def work_seconds(self) -> float:
        """CPU time from opening the database to the end."""
        return self.run.cpu_seconds - self.start_seconds

    @property
    def start_seconds(self) -> float:
        """CPU time before that: Python and imports."""
        return statistics.median(self.starts)


@dataclass
class Benchmark:
    """All cases on one file of customers."""

    data: str
    rows: int
    kind: str
    outcomes: dict[str, Outcome]

    @property
    def title(self) -> str:
        """What was asked of the cases."""
        rounding, _, dimensions = self.data.partition("-")
        return f"{self.rows:,} customers, {dimensions} {rounding} features, {TITLES[self.kind]}"


def main() -> None:
    """Measure every case on every file, and write the section after each."""
    options = arguments()
    # Ends the running case and removes the files too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    titles = chosen_titles(options.cases)
    benchmarks: list[Benchmark] = []
    where = machine(PACKAGES)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for kind, data, rows in plan(options):
            outcomes = {name: Outcome(name, title) for name, title in titles.items()}
            if rows > options.peer_rows:
                outcomes = {name: outcomes[name] for name in ("floor", "ours") if name in outcomes}
            benchmark = Benchmark(data, rows, kind, outcomes)
            benchmarks.append(benchmark)
            run(benchmark, options, Path(folder))
            results.replace_section(
                options.section, section(benchmarks, where, options), options.results
            )
            if options.json:
                options.json.write_text(json.dumps(list(map(asdict, benchmarks)), indent=1))


def arguments() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", default="segmentation", help="of RESULTS.md")
    parser.add_argument("--data", nargs="+", default=["integer-2", "integer-3", "continuous-6"])
    parser.add_argument("--rows", nargs="*", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--sweep-data", nargs="*", default=["integer-2", "continuous-6"])
    parser.add_argument("--sweep-rows", nargs="*", type=int, default=[100_000])
    parser.add_argument("--cases", nargs="+", help="all that are installed, if not given")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--repeat-below", type=float, default=60, help="a longer case is run once (seconds)"
    )
    parser.add_argument(
        "--limit", type=float, default=600, help="a longer case is given up (seconds)"
    )
    parser.add_argument(
        "--peer-rows", type=int, default=10_000_000, help="with more, only ours and the floor"
    )
    parser.add_argument("--spin", action="store_true", help="leave OpenMP's waiting as it is")
    parser.add_argument("--folder", type=Path, help="for the files of customers")
    parser.add_argument("--results", type=Path, default=results.RESULTS)
    parser.add_argument("--json", type=Path, help="for the measurements as they are")
    return parser.parse_args()


def chosen_titles(names: list[str] | None) -> dict[str, str]:
    """Ask for the cases in another process: this one must stay small."""
    titles = json.loads(output("import cases, json; print(json.dumps(cases.available()))"))
    if missing := set(names or ()) - set(titles):
        sys.exit(f"not installed: {', '.join(missing)}; there are {', '.join(titles)}")
    return {name: title for name, title in titles.items() if not names or name in names}


def plan(options: argparse.Namespace) -> list[tuple[str, str, int]]:
    """Return kind of task, data and rows, what is quick first."""
    fixed = [("fixed", data, rows) for rows in options.rows for data in options.data]
    sweep = [("sweep", data, rows) for rows in options.sweep_rows for data in options.sweep_data]
    return sorted(fixed + sweep, key=lambda task: (task[2], task[0]))


def run(benchmark: Benchmark, options: argparse.Namespace, folder: Path) -> None:
    """Make the customers, run the cases in turn, and judge their segments."""
    database, notes = folder / "customers.duckdb", folder / "notes.json"
    database.unlink(missing_ok=True)
    script("customers.py", benchmark.data, benchmark.rows, database)
    for _ in range(options.runs):
        for outcome in benchmark.outcomes.values():
            longest = max((run.wall_seconds for run in outcome.runs), default=0)
            if outcome.over_limit or longest > options.repeat_below:
                continue
            subprocess.run(
                [sys.executable, "-c", DROP, database, f"segments_{outcome.case}"], check=True
            )
            parts = ("cases.py", outcome.case, benchmark.data, database, notes, benchmark.kind)
            measured = measure(
                command(*parts), {} if options.spin else SLEEPING_THREADS, options.limit
            )
            if measured is None:
                outcome.over_limit = True
            else:
                outcome.runs.append(measured)
                outcome.notes = json.loads(notes.read_text())
                outcome.starts.append(outcome.notes.pop("start_cpu_seconds"))
            print(f"{benchmark.title}: {outcome.case} {measured or 'over the limit'}", flush=True)
    judged = json.loads(script("case_quality.py", database, benchmark.data))
    for case, outcome in benchmark.outcomes.items():
        outcome.quality = judged.get(case, {}) if outcome.runs else {}


def command(name: str, *arguments: object) -> list[str]:
    """Return the command of a script beside this one."""
    return [sys.executable, str(HERE / name), *map(str, arguments)]


def script(name: str, *arguments: object) -> str:
    """Run a script beside this one and return what it printed."""
    done = subprocess.run(command(name, *arguments), check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def section(benchmarks: list[Benchmark], where: str, options: argparse.Namespace) -> str:
    """Return the text of the section."""
    numbers = ", ".join(f"{rows:,}" for rows in sorted({each.rows for each in benchmarks}))
    tables = [f"### {each.title}\n\n{costs(each)}" for each in benchmarks]
    return "\n\n".join(
        [
            f"## Segmenting customers, {numbers}",
            f"{where} at the start and {os.getloadavg()[0]:.1f} at the end. Cases ran in turn; "
            f"medians of up to {options.runs} runs, one run of a case over "
            f"{options.repeat_below:g} s; given up after {options.limit:g} s. Threads of OpenMP "
            f"{'spin' if options.spin else 'sleep'} while they wait for each other.",
            READING,
            *tables,
            growth(benchmarks),
        ]
    )


def costs(benchmark: Benchmark) -> str:
    """Return the table of one file of customers."""
    outcomes = benchmark.outcomes
    lowest = lowest_wcss(benchmark)
    is_sweep = benchmark.kind == "sweep"
    head = ["case", "wall s", "CPU s", "of which start", "CPU / floor", "tutorial / CPU", "peak MB"]
    head += ["WCSS above lowest", *(["k", "silhouette"] if is_sweep else []), "ARI", "runs"]
    rows = []
    for outcome in outcomes.values():
        if not outcome.runs:
            rows.append([outcome.title, "> limit", *[""] * (len(head) - 2)])
            continue
        run = outcome.run
        rows.append(
            [
                titled(outcome),
                f"{run.wall_seconds:.2f}",
                f"{run.cpu_seconds:.2f}",
                f"{outcome.start_seconds:.2f}",
                ratio(outcome, outcomes.get("floor")),
                ratio(outcomes.get("tutorial"), outcome),
                f"{run.peak_megabytes:,.0f}",
                excess(outcome, lowest),
                *(chosen(outcome) if is_sweep else []),
                "" if outcome.case == "floor" else f"{outcome.quality['adjusted_rand_index']:.3f}",
                len(outcome.runs),
            ]
        )
    return results.table(head, rows)


def titled(outcome: Outcome) -> str:
    """Return the title of a case, with the route that ours took."""
    route = outcome.notes.get("route")
    if route is None:
        return outcome.title
    passes = f", {outcome.notes['passes']} passes" if outcome.notes["passes"] else ""
    return f"**{outcome.title}** ({route}{passes})"


def ratio(above: Outcome | None, below: Outcome | None) -> str:
    """Return the ratio of two cases' CPU time from opening the database to the end."""
    if above is None or below is None:
        return ""
    if not above.runs:
        return ""
    quotient = above.work_seconds / below.work_seconds
    return f"{quotient:.1f}" if quotient >= 1 else f"{quotient:.2f}"


def lowest_wcss(benchmark: Benchmark) -> dict[int | None, float]:
    """Return the lowest WCSS of all cases; of a sweep, for every k."""
    lowest: dict[int | None, float] = {}
    for outcome in benchmark.outcomes.values():
        for k, wcss in objectives(outcome).items():
            lowest[k] = min(wcss, lowest.get(k, math.inf))
    return lowest


def objectives(outcome: Outcome) -> dict[int | None, float]:
    """Return the WCSS of a case: judged if k is fixed, by k as it says itself in a sweep."""
    if outcome.case == "floor" or not outcome.runs:
        return {}
    if outcome.notes["sweep"]:
        return {row["k"]: row["wcss"] for row in outcome.notes["sweep"]}
    return {None: outcome.quality["wcss"]}


def excess(outcome: Outcome, lowest: dict[int | None, float]) -> str:
    """Return by how much a case's WCSS is above the lowest, in the worst k of a sweep."""
    shares = [wcss / lowest[k] - 1 for k, wcss in objectives(outcome).items()]
    return f"{max(shares):.1e}" if shares else ""


def chosen(outcome: Outcome) -> list[str]:
    """Return the k of the highest silhouette, and it."""
    if not outcome.notes["sweep"]:
        return ["", ""]
    best = max(outcome.notes["sweep"], key=lambda row: row["silhouette"])
    return [str(best["k"]), f"{best['silhouette']:.4f}"]


def growth(benchmarks: list[Benchmark]) -> str:
    """Return the exponents of growth: 1 is in proportion to the customers."""
    rows = []
    for smaller in benchmarks:
        larger = [
            other
            for other in benchmarks
            if (other.data, other.kind) == (smaller.data, smaller.kind)
            and other.rows > smaller.rows
        ]
        for other in larger[:1]:
            cells = [
                f"{exponent(smaller, other, case):.2f}" if exponent(smaller, other, case) else ""
                for case in titles_of(benchmarks)
            ]
            step = f"{smaller.rows:,} to {other.rows:,}"
            rows.append([f"{smaller.data}, {smaller.kind}, {step}", *cells])
    if not rows:
        return ""
    head = ["exponent of growth, CPU time without the start", *titles_of(benchmarks)]
    return f"### Growth\n\n{results.table(head, rows)}"


def titles_of(benchmarks: list[Benchmark]) -> list[str]:
    """Return the names of all cases in their order."""
    return list(dict.fromkeys(case for each in benchmarks for case in each.outcomes))


def exponent(smaller: Benchmark, larger: Benchmark, case: str) -> float | None:
    """Return the exponent of one case between two files, if both were measured."""
    outcomes = [each.outcomes.get(case) for each in (smaller, larger)]
    if any(outcome is None or not outcome.runs for outcome in outcomes):
        return None
    before, after = (outcome.work_seconds for outcome in outcomes if outcome)
    return math.log(after / before) / math.log(larger.rows / smaller.rows)


if __name__ == "__main__":
    main()
