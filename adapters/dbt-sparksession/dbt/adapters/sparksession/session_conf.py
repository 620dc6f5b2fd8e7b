"""The configuration of a session that this process drives."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dbt.adapters.sparksession.credentials import SparkSessionCredentials

# Folder of the embedded catalog and of its tables for a local master that is given none.
LOCAL_CATALOG_DIR = "spark-catalog"
JAVA_OPTIONS = "spark.driver.extraJavaOptions"
# Spark plans an expression by recursion, and models nest more of them than people do.
JAVA_STACK = "-Xss16m"


def session_conf(credentials: SparkSessionCredentials) -> dict[str, str]:
    """Return the settings that the session starts with: the profile's, and defaults below them."""
    conf = {
        "spark.app.name": credentials.app_name,
        "spark.ui.showConsoleProgress": "false",
    }
    if credentials.master:
        conf["spark.master"] = credentials.master
    if credentials.is_local:
        conf |= {
            # Nobody looks at the page of a session that ends with the command.
            "spark.ui.enabled": "false",
            # Nobody else has to reach it.
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            # Spark's own 200 are meant for a cluster.
            "spark.sql.shuffle.partitions": str(local_cores(credentials.master or "")),
            # Not whatever python3 is first on the PATH.
            "spark.pyspark.python": sys.executable,
        }
    folder = catalog_dir(credentials)
    own = dict(credentials.server_side_parameters)
    own[JAVA_OPTIONS] = f"{JAVA_STACK} {own.get(JAVA_OPTIONS, '')}".strip()
    if folder is not None:
        conf |= {
            "spark.sql.catalogImplementation": "hive",
            "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
            "spark.hadoop.javax.jdo.option.ConnectionURL": (
                f"jdbc:derby:;databaseName={folder / 'metastore'};create=true"
            ),
        }
        derby_log = f'-Dderby.stream.error.file="{folder / "derby.log"}"'
        own[JAVA_OPTIONS] = f"{derby_log} {own[JAVA_OPTIONS]}"
    return conf | own


def catalog_dir(credentials: SparkSessionCredentials) -> Path | None:
    """Return the folder of the embedded catalog, if the session shall have one."""
    folder = credentials.catalog_dir or (LOCAL_CATALOG_DIR if credentials.is_local else None)
    if folder is None or "spark.sql.catalogImplementation" in credentials.server_side_parameters:
        return None
    return Path(folder).absolute()


def local_cores(master: str) -> int:
    """Return the number of cores of a local master.

    Examples
    --------
    >>> local_cores("local"), local_cores("local[3]"), local_cores("local-cluster[2,4,1024]")
    (1, 3, 8)
    """
    inside = master.partition("[")[2].rstrip("]").split(",")
    if master.startswith("local-cluster"):
        return int(inside[0]) * int(inside[1])
    if inside[0] == "*":
        return os.cpu_count() or 1
    return int(inside[0]) if inside[0] else 1
