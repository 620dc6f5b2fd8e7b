"""A whole `dbt build` of many customers: intake, features, fits, every mart and every data test.

Run it with `make bench-build`. It writes Parquet files of generated customers to a temporary
folder, builds each in a process of its own, and writes a section of RESULTS.md: time, memory, and
which layers the seconds go to.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import results
from processes import Run, machine, measure, output

BIN = Path(sys.executable).parent
# What a file of customers looks like. `cents` has incomes that hardly repeat.
COLUMNS = """
    select
        customer_id as "CustomerID",
        if(hash(customer_id) % 9 < 5, 'Female', 'Male') as "Gender",
        cast(round(age) as integer) as "Age",
        annual_income_k_usd as "Annual Income (k$)",
        cast(round(spending_score) as integer) as "Spending Score (1-100)"
    from ({customers})
"""
# In a process of its own: those that are measured would inherit its memory.
WRITE = """
import duckdb
duckdb.sql('''{rows}''').write_parquet('{path}')
"""
MADE = """
from customers import Customers, customers_sql
print(customers_sql(Customers.named("{data}"), {count}))
"""
COUNT = """
import duckdb
points = duckdb.connect('{path}', read_only=True).table("features.int_feature_points")
print(points.aggregate("count(*)").fetchall()[0][0])
"""
LAYERS = {
    "model.raw": "intake",
    "model.staging": "staging",
    "model.features": "features",
    "model.ml": "segmentation",
    "model.marts": "marts",
    "test": "data tests",
}
ABOUT = """\
`dbt build --vars '{{customers_path: ...}}'` of a Parquet file, `k: auto`, on {threads} dbt
threads, with a memory limit of {memory} for DuckDB. Age and score are whole numbers; incomes too,
or in `cents` with two decimals. The seconds of a layer are those of its nodes, which run beside
each other."""


def main() -> None:
    """Build every file and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", type=int, default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--data", nargs="+", default=["integer-3", "cents-3"])
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--folder", type=Path, help="for the files of customers")
    parser.add_argument("--results", type=Path, default=results.RESULTS)
    options = parser.parse_args()
    head = ["customers", "distinct vectors", "wall s", "CPU s", "peak MB", *LAYERS.values()]
    rows: list[list[object]] = []
    where = machine(("duckdb", "dbt-core", "dbt-duckdb", "scikit-learn"))
    for count in options.rows:
        for data in options.data:
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                rows.append(build(data, count, options.memory, Path(folder)))
            print(rows[-1], flush=True)
            about = ABOUT.format(memory=options.memory, threads=4)
            text = f"## A whole build\n\n{about}\n\n{where}\n\n{results.table(head, rows)}"
            results.replace_section("build", text, options.results)


def build(data: str, count: int, memory: str, folder: Path) -> list[object]:
    """Return a row of the table."""
    source = folder / "customers.parquet"
    database = folder / "bench.duckdb"
    customers = output(MADE.format(data=data, count=count))
    output(WRITE.format(rows=COLUMNS.format(customers=customers), path=source))
    target = folder / "target"
    run = measure(
        [
            *(str(BIN / "dbt"), "-q", "build", "--full-refresh", "--target-path", str(target)),
            *("--vars", json.dumps({"customers_path": str(source)})),
        ],
        {
            "MALL_SEGMENTS_DATABASE": str(database),
            "MALL_SEGMENTS_MEMORY_LIMIT": memory,
            "DBT_LOG_PATH": str(folder / "logs"),
        },
    )
    assert isinstance(run, Run)
    seconds = seconds_by_layer(target)
    return [
        f"{count:,}, {data}",
        f"{int(output(COUNT.format(path=database))):,}",
        f"{run.wall_seconds:.0f}",
        f"{run.cpu_seconds:.0f}",
        f"{run.peak_megabytes:,.0f}",
        *(f"{seconds[layer]:.0f}" for layer in LAYERS.values()),
    ]


def seconds_by_layer(target: Path) -> dict[str, float]:
    """Return the seconds of the nodes of every layer."""
    manifest = json.loads((target / "manifest.json").read_text())
    found: dict[str, float] = defaultdict(float)
    for one in json.loads((target / "run_results.json").read_text())["results"]:
        kind = one["unique_id"].split(".")[0]
        node = manifest["nodes"].get(one["unique_id"], {})
        layer = LAYERS.get(f"{kind}.{node.get('schema')}") or LAYERS.get(kind)
        if layer:
            found[layer] += one["execution_time"]
    return found


if __name__ == "__main__":
    main()
