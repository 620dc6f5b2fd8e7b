"""The one SparkSession of this process."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from pathlib import Path
from typing import Any

from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.sparksession.credentials import DEFAULT_CATALOG_DIR, SparkSessionCredentials

logger = AdapterLogger("SparkSession")


def session_conf(credentials: SparkSessionCredentials) -> dict[str, str]:
    """Return the configuration of a session that this process drives."""
    conf = {
        "spark.app.name": credentials.app_name,
        "spark.ui.showConsoleProgress": "false",
        # What a killed build left where a table will be is overwritten instead of refused.
        "spark.sql.legacy.allowNonEmptyLocationInCTAS": "true",
    }
    if credentials.master:
        conf["spark.master"] = credentials.master
    if credentials.is_local:
        conf |= {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.shuffle.partitions": str(_cores(credentials.master or "")),
            "spark.pyspark.python": sys.executable,
        }
    folder = credentials.catalog_dir or (DEFAULT_CATALOG_DIR if credentials.is_local else None)
    if folder:
        conf |= _catalog_conf(Path(folder).absolute())
    return conf | credentials.server_side_parameters


def _cores(master: str) -> int:
    cores = master.partition("[")[2].partition(",")[0].rstrip("]")
    return int(cores) if cores.isdigit() else os.cpu_count() or 1


def _catalog_conf(folder: Path) -> dict[str, str]:
    return {
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": (folder / "warehouse").as_uri(),
        "spark.hadoop.javax.jdo.option.ConnectionURL": (
            f"jdbc:derby:;databaseName={folder / 'metastore'};create=true"
        ),
        "spark.driver.extraJavaOptions": f"-Dderby.stream.error.file={folder / 'derby.log'}",
    }


class _Holder:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._session: Any = None

    def get(self, credentials: SparkSessionCredentials) -> Any:
        with self._lock:
            if self._session is None:
                self._session = _start(credentials)
                atexit.register(self.stop)
        return self._session

    def stop(self) -> None:
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.stop()


def _start(credentials: SparkSessionCredentials) -> Any:
    from pyspark.sql import SparkSession

    if credentials.remote:
        session = SparkSession.builder.remote(credentials.remote).getOrCreate()
        for key, value in credentials.server_side_parameters.items():
            session.conf.set(key, value)
        return session
    builder = SparkSession.builder
    for key, value in session_conf(credentials).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


_holder = _Holder()


def session_for(credentials: SparkSessionCredentials) -> Any:
    """Return the session, started at the first call."""
    return _holder.get(credentials)
