"""Time and memory of taking in a large CSV file, against the floor: a scan by DuckDB.

Run it with `make bench`. It writes a file of about 1 GB to a temporary folder, runs each case as a
process of its own, several times in turn, and prints medians as a table for RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
BYTES_PER_ROW = 48.4
CUSTOMERS = """
    select
        1000000 + i as "CustomerID",
        if(hash(i) % 9 < 5, 'Female', 'Male') as "Gender",
        18 + hash(i + 1) % 53 as "Age",
        15 + hash(i + 7) % 123 as "Annual Income (k$)",
        1 + hash(i + 13) % 99 as "Spending Score (1-100)",
        'customer number ' || i as "Note"
    from range({rows}) as customers(i)
"""
FLOOR = """
import duckdb
duckdb.sql("create table customers as select * from read_csv('{path}', all_varchar = true)")
"""


@dataclass(frozen=True)
class Run:
    """What the operating system accounted to one process."""

    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float


def measure(command: list[str], environment: dict[str, str]) -> Run:
    """Run a command in the project and return its cost; fail if it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed with status {status}")
    cpu = usage.ru_utime + usage.ru_stime
    return Run(time.perf_counter() - start, cpu, usage.ru_maxrss / 1024)


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    rows = int(options.gigabytes * 1e9 / BYTES_PER_ROW)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.csv"
        duckdb.sql(CUSTOMERS.format(rows=rows)).write_csv(str(path))
        dbt = [str(BIN / "dbt"), "run", "--full-refresh", "--target-path", f"{folder}/target"]
        variables = json.dumps({"customers_path": str(path)})
        environment = {
            "MALL_SEGMENTS_DATABASE": f"{folder}/bench.duckdb",
            "MALL_SEGMENTS_MEMORY_LIMIT": "2GB",
        }
        subprocess.run(
            [*dbt[:1], "seed", *dbt[3:]], cwd=ROOT, env=os.environ | environment, check=True
        )
        cases = {
            "floor: DuckDB reads the file into a table": [
                sys.executable,
                "-c",
                FLOOR.format(path=path),
            ],
            "mall-segments inspect": [str(BIN / "mall-segments"), "inspect", str(path)],
            "dbt run -s +stg_customers": [*dbt, "-s", "+stg_customers", "--vars", variables],
        }
        runs: dict[str, list[Run]] = {name: [] for name in cases}
        for _ in range(options.runs):
            for name, command in cases.items():
                runs[name].append(measure(command, environment))
        print_table(runs, path.stat().st_size, rows)


def print_table(runs: dict[str, list[Run]], size: int, rows: int) -> None:
    """Print medians and the ratio of CPU time to the floor."""
    medians = {
        name: Run(
            *(
                statistics.median(getattr(run, field) for run in each)
                for field in Run.__dataclass_fields__
            )
        )
        for name, each in runs.items()
    }
    floor = next(iter(medians.values()))
    print(
        f"{size / 1e9:.2f} GB, {rows:,} rows; {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, duckdb {version('duckdb')}; "
        f"median of {len(next(iter(runs.values())))} runs in turn\n"
    )
    print("| case | wall s | CPU s | CPU / floor | peak MB |")
    print("|---|---|---|---|---|")
    for name, run in medians.items():
        ratio = run.cpu_seconds / floor.cpu_seconds
        print(
            f"| {name} | {run.wall_seconds:.1f} | {run.cpu_seconds:.1f} | {ratio:.1f} "
            f"| {run.peak_megabytes:,.0f} |"
        )


if __name__ == "__main__":
    main()
