"""Time and memory of taking in a large CSV file, against the floor: a scan by DuckDB.

Run it with `make bench-intake`. It writes a file of about 1 GB to a temporary folder, runs each
case as a process of its own, several times in turn, and writes medians to RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import results
from processes import ROOT, Run, machine, measure

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
# In a process of its own: those that are measured would inherit its memory.
WRITE = """
import duckdb
duckdb.sql('''{customers}''').write_csv('{path}')
"""
FLOOR = """
import duckdb
duckdb.sql("create table customers as select * from read_csv('{path}', all_varchar = true)")
"""
ABOUT = """\
Memory is limited to 2 GB in both of our cases; the floor has no limit. The floor reads text and
checks nothing. `inspect` scans every byte, reads, types and judges every row and counts the
reasons. `dbt run` does that, stores the raw rows, and judges them once more into the staging
tables."""


def main() -> None:
    """Measure every case and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--results", type=Path, default=results.RESULTS)
    options = parser.parse_args()
    rows = int(options.gigabytes * 1e9 / BYTES_PER_ROW)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.csv"
        write = WRITE.format(customers=CUSTOMERS.format(rows=rows), path=path)
        subprocess.run([sys.executable, "-c", write], check=True)
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
                runs[name] += filter(None, [measure(command, environment)])
        results.replace_section("intake", section(runs, path.stat().st_size, rows), options.results)


def section(runs: dict[str, list[Run]], size: int, rows: int) -> str:
    """Return the section: medians, and the ratio of CPU time to the floor."""
    medians = {name: Run.median(each) for name, each in runs.items()}
    floor = next(iter(medians.values()))
    costs = results.table(
        ["case", "wall s", "CPU s", "CPU / floor", "peak MB"],
        [
            [
                name,
                f"{run.wall_seconds:.1f}",
                f"{run.cpu_seconds:.1f}",
                f"{run.cpu_seconds / floor.cpu_seconds:.1f}",
                f"{run.peak_megabytes:,.0f}",
            ]
            for name, run in medians.items()
        ],
    )
    times = len(next(iter(runs.values())))
    return f"""## Taking in a CSV file of {size / 1e9:.2f} GB

{ABOUT}

{rows:,} rows; {machine(["duckdb"])}; median of {times} runs in turn

{costs}"""


if __name__ == "__main__":
    main()
