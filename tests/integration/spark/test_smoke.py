"""In every run of the tests: the segments of the mall on Sail, a Spark without Java.

All marts, on Spark itself, are what `make test-spark` compares.
"""

import os
import sys
from pathlib import Path

from servers import sail_server

from tests.integration.conftest import WITHOUT_TESTS
from tests.waiting import LONGEST

# Where `make sail` puts Sail, the client of Spark and dbt-spark.
SAIL = Path(sys.prefix) / "sail"
REMOTE = "MALL_SEGMENTS_SPARK_REMOTE"


def test_sail_gives_every_customer_the_segment_of_duckdb(mall, project, monkeypatch):
    assert SAIL.is_dir(), "Install Sail by `make sail`."
    monkeypatch.setenv("PYTHONPATH", str(SAIL), prepend=os.pathsep)
    # Its tables are Parquet files below the folder where it was started.
    server = project.folder / "sail"
    with sail_server(server, SAIL / "bin" / "sail") as remote:
        monkeypatch.setenv(REMOTE, remote)
        command = ("--no-use-colors", "build", "--target", "spark", *WITHOUT_TESTS)
        select = ("--select", "+ml_customer_segments")
        with project.start("dbt", *command, *select, environment=(REMOTE,)) as building:
            said, _ = building.communicate(timeout=LONGEST)
    assert building.returncode == 0, said
    (files,) = (server / "spark-warehouse").glob("ml_customer_segments-*")
    columns = "customer_id, segment_key, runner_up_segment_key, is_out_of_domain"
    ours = mall.query(
        f"select {columns}, distance_to_centroid from ml.ml_customer_segments order by 1"
    )
    theirs = mall.query(
        f"select {columns}, distance_to_centroid from '{files}/*.parquet' order by 1"
    )
    assert len(theirs) == 200
    assert [row[:-1] for row in theirs] == [row[:-1] for row in ours]
    assert all(abs(one[-1] - other[-1]) < 1e-9 for one, other in zip(ours, theirs, strict=True))
