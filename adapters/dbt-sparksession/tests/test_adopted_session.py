"""A notebook or a job of a cluster has a session already: dbt builds in it, and leaves it be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROJECT, write_profile
from tests.waiting import LONGEST

pytestmark = pytest.mark.spark
NOTEBOOK = """
from dbt.cli.main import dbtRunner
from pyspark.sql import SparkSession

builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
session = builder.config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1").getOrCreate()
session.range(3).createOrReplaceTempView("of_the_notebook")
done = dbtRunner().invoke(["--quiet", "build", "--select", "+totals_read"])
assert done.success, done.exception
(row,) = session.sql("select `sum(amount)` from main.totals_read").collect()
print("total", row[0], "rows", session.table("of_the_notebook").count())
"""


def test_dbt_builds_in_the_session_of_a_notebook(tmp_path: Path) -> None:
    shop = Path(shutil.copytree(PROJECT, tmp_path / "shop"))
    # A session that runs has a master and a catalog: the profile names none.
    write_profile(shop, {"schema": "main"})
    ran = subprocess.run(
        [sys.executable, "-c", NOTEBOOK],
        cwd=shop,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "total 30.75 rows 3" in ran.stdout
    assert not (shop / "spark-catalog").exists()
