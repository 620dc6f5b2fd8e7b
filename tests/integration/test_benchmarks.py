"""The benchmark of the segmentation, end to end on a few thousand customers."""

import json
import re
import subprocess
import sys

import duckdb
import pytest

from tests.integration.conftest import ROOT, SEED
from tests.waiting import LONGEST

BENCHMARKS = ROOT / "benchmarks"
# The other peers go the way of the tutorial; each takes seconds to start.
CASES = {"floor", "ours", "tutorial"}


def benchmark(folder, *arguments):
    """Run the benchmark, and return its section of the results with the measurements behind it."""
    results, measurements = folder / "RESULTS.md", folder / "measurements.json"
    results.write_text("# Results\n\n<!-- intake -->\nkept\n<!-- end of intake -->\n")
    files = ("--folder", folder, "--results", results, "--json", measurements)
    subprocess.run(
        [sys.executable, BENCHMARKS / "segmentation.py", *files, *arguments],
        check=True,
        timeout=LONGEST,
    )
    assert "<!-- intake -->\nkept\n<!-- end of intake -->" in results.read_text()
    return results.read_text(), json.loads(measurements.read_text())


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Customers of two numbers, and a sweep over others; every case once."""
    sizes = ("--rows", "2000", "4000", "--sweep-rows", "2000", "--runs", "1")
    data = ("--data", "continuous-3", "--sweep-data", "integer-2")
    return benchmark(tmp_path_factory.mktemp("benchmarks"), *sizes, *data, "--cases", *CASES)


def test_every_case_has_a_line_in_every_table(measured):
    page, benchmarks = measured
    tables = re.split("^### ", page, flags=re.MULTILINE)[1:]
    assert len(tables) == len(benchmarks) + 1 == 4
    for table, each in zip(tables[:-1], benchmarks, strict=True):
        assert table.startswith(f"{each['rows']:,} customers")
        assert set(each["outcomes"]) == CASES
        for outcome in each["outcomes"].values():
            assert table.count(outcome["title"]) == 1
    assert tables[-1].startswith("Growth")


def test_nobody_finds_better_segments(measured):
    for each in measured[1]:
        if each["kind"] == "fixed":
            found = {case: outcome["quality"] for case, outcome in each["outcomes"].items()}
            del found["floor"]
            lowest = min(quality["wcss"] for quality in found.values())
            assert found["ours"]["wcss"] <= lowest * (1 + 1e-9)


def test_no_sweep_has_a_lower_wcss_for_any_k(measured):
    (sweep,) = (each for each in measured[1] if each["kind"] == "sweep")
    found = {
        case: {row["k"]: row["wcss"] for row in outcome["notes"]["sweep"]}
        for case, outcome in sweep["outcomes"].items()
        if case != "floor"
    }
    assert all(set(wcss) == set(range(2, 11)) for wcss in found.values())
    for k, ours in found["ours"].items():
        assert ours <= min(wcss[k] for wcss in found.values()) * (1 + 1e-9)


def test_the_wcss_that_we_report_is_that_of_the_rows_we_wrote(measured):
    for each in measured[1]:
        ours = each["outcomes"]["ours"]
        assert ours["notes"]["wcss"] == pytest.approx(ours["quality"]["wcss"], rel=1e-9)


def test_costs_are_those_of_the_process(measured):
    for each in measured[1]:
        for outcome in each["outcomes"].values():
            (run,) = outcome["runs"]
            (start,) = outcome["starts"]
            assert 0 < start < run["cpu_seconds"]
            # DuckDB alone takes some 30 MB, and numpy and scikit-learn some 100 more.
            assert 30 < run["peak_megabytes"] < 1000


def test_a_case_beyond_the_limit_is_reported_as_such(tmp_path):
    cases = ("--cases", "floor", "tutorial", "--limit", "0.01")
    page, (each,) = benchmark(
        tmp_path, "--rows", "1000", "--data", "cents-2", "--sweep-rows", *cases
    )
    assert page.count("| > limit |") == 2
    assert all(outcome["over_limit"] for outcome in each["outcomes"].values())


def test_a_customer_depends_on_the_row_number_alone(tmp_path):
    customers = []
    for rows in ("1000", "300000"):
        database = tmp_path / f"{rows}.duckdb"
        command = [BENCHMARKS / "customers.py", "continuous-6", rows, database]
        subprocess.run([sys.executable, *command], check=True)
        with duckdb.connect(str(database), read_only=True) as connection:
            first = connection.table("customers").filter("customer_id <= 1000")
            customers.append(first.order("customer_id").fetchall())
    assert customers[0] == customers[1]
    assert {row[-1] for row in customers[0]} == {1, 2, 3, 4, 5}


def test_arithmetic_and_a_join_give_the_same_segments(tmp_path):
    results = tmp_path / "RESULTS.md"
    sizes = ("--rows", "3000", "--data", "integer-2", "--k", "3", "--runs", "1")
    subprocess.run(
        [sys.executable, BENCHMARKS / "assignment.py", *sizes, "--results", results],
        check=True,
        timeout=LONGEST,
    )
    row = results.read_text().splitlines()[-2]
    assert re.fullmatch(
        r"\| 3,000, integer-2 \| [\d,]+ \| 3 \| [\d.]+( \| [\d.]+ \([\d.]+\)){2} \|", row
    ), row


def test_a_table_of_ones_own_is_judged():
    """Ours is the best known, and all seeds agree."""
    command = [sys.executable, BENCHMARKS / "quality.py", "--csv", SEED, "--k", "5"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=LONGEST)
    head, _, cells = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in done.stdout.splitlines()
        if line.startswith("|")
    )
    found = dict(zip(head, cells, strict=True))
    assert float(found["ours above it"]) <= 1e-9
    assert float(found["scikit-learn, 1000 restarts"]) >= 0
    assert found["agreement of ours"] == "1.000"
