"""Assigning customers to segments: arithmetic on every row, or a join with labelled points.

A fit knows the label of every distinct vector, so a join would do. Run this with
`make bench-assignment`. For each kind of customers it makes a DuckDB file, fits it and keeps the
points with their labels there; then every way to write a segment per customer runs as a process of
its own, in turn, and medians go to RESULTS.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import results
from customers import Customers
from processes import Run, machine, measure, output

PREPARE = """
import pickle, duckdb
from customers import Customers, write
from mall_segments.engine_fit import segment_relation
write(Customers.named("{data}"), {rows}, "{folder}/bench.duckdb")
with duckdb.connect("{folder}/bench.duckdb") as connection:
    customers = connection.table("customers")
    fit, segments = segment_relation(connection, customers, {features}, {k})
    labelled = customers.join(segments.set_alias("segments"), "customer_id")
    labelled.project("{names}, segment_number").distinct().create("points")
    pickle.dump(fit, open("{folder}/fit.pickle", "wb"))
    print(fit.points)
"""
FLOOR = "create or replace table floor as select customer_id, 1 as segment_number from customers"
JOIN = (
    "create or replace table joined as"
    " select customer_id, segment_number from customers join points using ({names})"
)
SQL = """
import duckdb
duckdb.connect("{folder}/bench.duckdb").execute("{statement}")
"""
ARITHMETIC = """
import pickle, duckdb
from mall_segments.engine_fit import assign_relation
fit = pickle.load(open("{folder}/fit.pickle", "rb"))
with duckdb.connect("{folder}/bench.duckdb") as connection:
    connection.execute("drop table if exists computed")
    assign_relation(connection.table("customers"), fit).create("computed")
"""
DIFFERENT = """
import duckdb
with duckdb.connect("{folder}/bench.duckdb") as connection:
    both = connection.table("joined").set_alias("joined").join(
        connection.table("computed").set_alias("computed"), "customer_id", "outer"
    )
    differ = "joined.segment_number is distinct from computed.segment_number"
    print(both.filter(differ).aggregate("count(*)").fetchall()[0][0])
"""
ABOUT = """\
A row per customer is written with its segment. `arithmetic` compares the squared distances to all
centroids, unrolled in SQL; `join` looks the vector up among the points, which the fit has labelled
already. CPU seconds of whole processes, the floor too; in brackets the ratio to it."""


def main() -> None:
    """Measure every way on every kind of customers, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--data", nargs="+", default=["integer-2", "integer-3"])
    parser.add_argument("--k", nargs="+", type=int, default=[5, 10])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="for the files of customers")
    parser.add_argument("--results", type=Path, default=results.RESULTS)
    options = parser.parse_args()
    where = machine(("duckdb",))
    head = ["customers", "points", "k", "floor", "arithmetic", "join"]
    rows = [row(data, k, options) for data in options.data for k in options.k]
    how = f"{where}; medians of {options.runs} runs in turn"
    text = f"## Arithmetic or a join\n\n{ABOUT}\n\n{how}\n\n{results.table(head, rows)}"
    results.replace_section("assignment", text, options.results)


def row(data: str, k: int, options: argparse.Namespace) -> list[object]:
    """Return a row of the table."""
    features = [feature.name for feature in Customers.named(data).features]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        known = {"folder": folder, "names": ", ".join(features)}
        points = printed(
            PREPARE.format(data=data, rows=options.rows, k=k, features=features, **known)
        )
        codes = {
            "floor": SQL.format(statement=FLOOR, **known),
            "arithmetic": ARITHMETIC.format(**known),
            "join": SQL.format(statement=JOIN.format(**known), **known),
        }
        runs: dict[str, list[Run]] = {name: [] for name in codes}
        for _ in range(options.runs):
            for name, code in codes.items():
                runs[name] += filter(None, [measure([sys.executable, "-c", code])])
        if different := printed(DIFFERENT.format(**known)):
            sys.exit(f"{different} customers are in another segment by a join")
    floor, *others = (Run.median(each).cpu_seconds for each in runs.values())
    costs = [f"{floor:.2f}", *(f"{cpu:.2f} ({cpu / floor:.1f})" for cpu in others)]
    return [f"{options.rows:,}, {data}", f"{points:,}", k, *costs]


def printed(code: str) -> int:
    """Return the number that some Python printed last, after the progress bars of DuckDB."""
    return int(output(code).splitlines()[-1])


if __name__ == "__main__":
    main()
