"""How good the segments of every case are, by one query for all of them.

`python benchmarks/case_quality.py DATABASE DATA` prints, for each table `segments_<case>`, the WCSS
of the scaled features around the means of its segments, over all customers, and the adjusted Rand
index against the components that the customers were drawn from, as JSON.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

import duckdb
from customers import Customers

Key = TypeVar("Key")


def quality(connection: duckdb.DuckDBPyConnection, case: str, features: Sequence[str]) -> dict:
    """Return the WCSS and the adjusted Rand index of one case.

    Sums are taken of deviations from the overall mean, so that little is lost to cancellation.
    """
    columns = ", ".join(f"avg({name}), var_pop({name})" for name in features)
    moments = connection.execute(f"select count(*), {columns} from customers").fetchall()[0]
    customers, means, variances = moments[0], moments[1::2], moments[2::2]
    sums = ", ".join(
        f"fsum({name} - {mean!r}::double), fsum(power({name} - {mean!r}::double, 2))"
        for name, mean in zip(features, means, strict=True)
    )
    segments = f"segments_{case}"
    cells = connection.execute(f"""
        select {segments}.segment_number, customers.component, count(*), {sums}
        from customers
        left join {segments} on customers.customer_id = {segments}.customer_id
        group by {segments}.segment_number, customers.component
    """).fetchall()
    written = connection.execute(f"select count(*) from {segments}").fetchall()[0][0]
    if {written, sum(cell[2] for cell in cells)} != {customers} or None in {c[0] for c in cells}:
        raise ValueError(f"{case} does not give every customer one segment")
    wcss = 0.0
    for number in {cell[0] for cell in cells}:
        members = [cell for cell in cells if cell[0] == number]
        size = sum(cell[2] for cell in members)
        for place, variance in enumerate(variances):
            total = math.fsum(cell[3 + 2 * place] for cell in members)
            squares = math.fsum(cell[4 + 2 * place] for cell in members)
            wcss += (squares - total**2 / size) / variance
    overlaps = {(cell[0], cell[1]): cell[2] for cell in cells}
    return {"wcss": wcss, "adjusted_rand_index": adjusted_rand_index(overlaps)}


def adjusted_rand_index(overlaps: dict[tuple[Key, Key], int]) -> float:
    """Return the index of two partitions from the sizes of their overlaps.

    >>> adjusted_rand_index({(0, 1): 5, (1, 0): 7})
    1.0
    """
    rows: Counter = Counter()
    columns: Counter = Counter()
    for (row, column), size in overlaps.items():
        rows[row] += size
        columns[column] += size
    together = pairs(overlaps.values())
    in_rows, in_columns = pairs(rows.values()), pairs(columns.values())
    expected = in_rows * in_columns / pairs([sum(rows.values())])
    largest = (in_rows + in_columns) / 2
    return (together - expected) / (largest - expected) if largest > expected else 1.0


def pairs(sizes: Iterable[int]) -> int:
    """Return how many pairs lie within groups of these sizes."""
    return sum(math.comb(size, 2) for size in sizes)


if __name__ == "__main__":
    database, data = sys.argv[1:]
    names = [feature.name for feature in Customers.named(data).features]
    with duckdb.connect(database, read_only=True) as warehouse:
        tables = [name for (name,) in warehouse.execute("show tables").fetchall()]
        cases = [name.removeprefix("segments_") for name in tables if name.startswith("segments_")]
        print(json.dumps({case: quality(warehouse, case, names) for case in cases}))
