"""A cluster of two workers does the work, and goes on without an executor that it lost."""

import os
import signal
import subprocess
import sys
import time

import duckdb
import pytest
from servers import QUICK_JAVA, master

from tests.integration.comparison import different_marts
from tests.integration.conftest import ROOT, WITHOUT_TESTS
from tests.integration.spark.cluster import (
    EventLog,
    application_of,
    executor_processes,
    write_settings,
)
from tests.waiting import LONGEST

pytestmark = pytest.mark.spark_servers

MILLION = 1_000_000
# As a customers file has them.
CUSTOMERS = """
    select
        customer_id as "CustomerID",
        if(customer_id % 9 < 5, 'Female', 'Male') as "Gender",
        age as "Age",
        annual_income_k_usd as "Annual Income (k$)",
        spending_score as "Spending Score (1-100)"
    from customers
"""
# In a process of its own, whose catalog the build opens after it.
LOAD = """
from pyspark.sql import SparkSession
session = SparkSession.builder.master("local[1]").getOrCreate()
session.sql("create schema crm")
session.sql("create table crm.customers using parquet location '{path}'")
"""
# Everything that the segments of the customers are made of; all marts of so many take ten minutes.
SEGMENTS = ("--select", "+customer_segments", *WITHOUT_TESTS)
MASTER = "MALL_SEGMENTS_SPARK_MASTER"
# Long enough for the build to need the executor that does not answer.
FROZEN_SECONDS = 10


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The folder and the URL of a master with two workers."""
    folder = tmp_path_factory.mktemp("cluster")
    with master(folder, workers=2) as url:
        yield folder, url


@pytest.fixture
def on_cluster(cluster, project, monkeypatch):
    """Start `dbt build --target spark` of a project on the cluster."""
    monkeypatch.setenv(MASTER, cluster[1])
    monkeypatch.setenv("JDK_JAVA_OPTIONS", QUICK_JAVA)
    for name, value in write_settings(project.folder).items():
        monkeypatch.setenv(name, value)

    def start(*arguments):
        command = ("--no-use-colors", "build", "--target", "spark", *arguments)
        return project.start("dbt", *command, environment=(MASTER,))

    return start


def million_customers(folder):
    """Write a Parquet file of a million customers with whole ages, incomes and scores."""
    database, path = folder / "customers.duckdb", folder / "customers" / "all.parquet"
    path.parent.mkdir()
    generator = ROOT / "benchmarks" / "customers.py"
    subprocess.run([sys.executable, generator, "integer-3", str(MILLION), database], check=True)
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.sql(CUSTOMERS).write_parquet(str(path), row_group_size=65_536)
    return path


def test_two_executors_give_a_million_customers_the_segments_of_duckdb(
    cluster, project, on_cluster
):
    customers = million_customers(project.folder)
    load = [sys.executable, "-c", LOAD.format(path=customers.parent)]
    subprocess.run(load, cwd=project.folder, check=True, capture_output=True, timeout=LONGEST)
    # One statement at a time, so that no other one keeps an executor from it.
    variables = "{customers_relation: crm.customers}"
    with on_cluster(*SEGMENTS, "--threads", "1", "--vars", variables) as building:
        said, _ = building.communicate(timeout=LONGEST)
    assert building.returncode == 0, said
    project.build(*SEGMENTS[:2], customers_path=str(customers))
    same_partition(project)
    log = EventLog.of_build(project.folder)
    processes = executor_processes(cluster[0], application_of(project.folder))
    two_processes_did_all_tasks(log, processes, building.pid)
    both_grouped_the_customers(log, project)
    both_assigned_the_customers(log)


def same_partition(project):
    """Every customer is on both sides, in the same segment and as near to its centroid."""
    theirs = project.folder / "warehouse" / "marts.db" / "customer_segments" / "*.parquet"
    rows = project.query(
        f"""
        select
            their_key,
            count(*),
            count(*) filter (is_other),
            max(apart)
        from (
            select
                theirs.segment_key as their_key,
                ours.segment_key is distinct from theirs.segment_key
                or ours.segment_name is distinct from theirs.segment_name as is_other,
                abs(ours.distance_to_centroid - theirs.distance_to_centroid) as apart
            from marts.customer_segments as ours
            full join read_parquet('{theirs}') as theirs using (customer_id)
        )
        group by their_key
        """
    )
    keys, customers, others, farthest = zip(*rows, strict=True)
    assert (sum(customers), sum(others)) == (MILLION, 0)
    assert len(keys) >= 3
    assert min(customers) > MILLION / 100
    assert max(farthest) < 1e-9


def two_processes_did_all_tasks(log, processes, driver):
    """Every task of the build ran in one of two executors, each a process of its own."""
    assert set(log.added) == set(processes) == {"0", "1"}
    assert len({*processes.values(), driver, os.getpid()}) == 4
    assert {task.executor for task in log.tasks} == set(processes)
    # Spark removes executors at the end of an application, not before.
    assert not log.removed


def both_grouped_the_customers(log, project):
    """Both read customers, counted theirs, and added up the counts that both had sent."""
    plan, tasks = log.that_wrote("features.db/int_feature_points")
    assert "Scan parquet spark_catalog.staging.stg_customers_parsed" in plan
    assert plan.count("HashAggregate (") == 2
    assert "Functions [1]: [partial_count(1)]" in plan
    read = rows_by_executor(tasks, "rows_read")
    sent = rows_by_executor(tasks, "rows_to_shuffle")
    received = rows_by_executor(tasks, "rows_from_shuffle")
    written = rows_by_executor(tasks, "rows_written")
    for rows in (read, sent, received, written):
        assert set(rows) == {"0", "1"}
    assert sum(read.values()) == MILLION
    # Fewer than it read: an executor counts before it sends.
    assert all(sent[executor] < read[executor] for executor in read)
    assert sum(received.values()) == sum(sent.values())
    ((points,),) = project.query("select count(*) from features.int_feature_points")
    assert sum(written.values()) == points


def both_assigned_the_customers(log):
    """Both read customers and wrote them with their segments, without anything in between."""
    plan, tasks = log.that_wrote("ml.db/ml_customer_segments")
    assert "Scan parquet spark_catalog.staging.stg_customers_parsed" in plan
    assert "CASE WHEN (squared_0" in plan
    assert "Exchange" not in plan
    assert {task.executor for task in tasks} == {"0", "1"}
    assert all(task.rows_read == task.rows_written > 0 for task in tasks)
    assert sum(task.rows_written for task in tasks) == MILLION


def rows_by_executor(tasks, column):
    """The rows that each executor moved, of those that moved any."""
    assert all(task.is_done for task in tasks)
    rows = {}
    for task in tasks:
        if moved := getattr(task, column):
            rows[task.executor] = rows.get(task.executor, 0) + moved
    return rows


def test_a_build_that_loses_an_executor_gives_the_same_marts(cluster, mall, project, on_cluster):
    """It is frozen before it is killed, so that it has a task that is lost with it."""
    lost = "1"
    with on_cluster(*WITHOUT_TESTS) as building:
        try:
            for line in building.stdout:
                if "OK created python table model ml.ml_segment_candidates" in line:
                    break
            else:
                pytest.fail("the build ended before an executor could be killed")
            application = application_of(project.folder)
            process = executor_processes(cluster[0], application)[lost]
            os.kill(process, signal.SIGSTOP)
            time.sleep(FROZEN_SECONDS)
            os.kill(process, signal.SIGKILL)
            said, _ = building.communicate(timeout=LONGEST)
        finally:
            building.kill()
    assert building.returncode == 0, said
    assert "WARN=0 ERROR=0 SKIP=0" in said
    assert different_marts(mall.database, project.folder / "warehouse") == []

    log = EventLog.of_build(project.folder)
    assert set(log.removed) == {lost}
    killed_at = log.removed[lost]
    before = {task.executor for task in log.tasks if task.is_done and task.ended_at < killed_at}
    assert before == {"0", "1"}
    victims = {
        (task.stage, task.index)
        for task in log.tasks
        if task.executor == lost and task.end == "ExecutorLostFailure"
    }
    assert victims
    again = {
        (task.stage, task.index): task.executor
        for task in log.tasks
        if task.is_done and (task.stage, task.index) in victims
    }
    assert set(again) == victims
    assert lost not in again.values()
    # The worker starts another one, which takes part.
    after = {task.executor for task in log.tasks if task.is_done and task.ended_at > killed_at}
    assert after == {"0", "2"}
    assert log.added["2"] > killed_at
