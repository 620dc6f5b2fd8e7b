"""What a profile of type `sparksession` may say, and what it means for the session."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from dbt.adapters.spark.connections import SparkConnectionMethod, SparkCredentials
from dbt_common.exceptions import DbtRuntimeError

DEFAULT_MASTER = "local[*]"
CONNECT_PORT = 15002
MASTERS = (
    re.compile(r"local(\[(\*|[1-9]\d*)(,\s*\d+)?\])?"),
    re.compile(r"local-cluster\[\s*\d+\s*,\s*\d+\s*,\s*\d+\s*\]"),
    re.compile(r"spark://[^/:,\s]+:\d+(,[^/:,\s]+:\d+)*"),
    re.compile(r"yarn"),
    re.compile(r"k8s://\S+"),
)
MASTER_FORMS = (
    "local[*], local[4], spark://host:7077, yarn, k8s://https://host:443 or local-cluster[2,1,1024]"
)


@dataclass
class SparkSessionCredentials(SparkCredentials):
    """Where the session runs: a master that this process drives, or a Spark Connect server.

    Attributes
    ----------
    master : master of a session whose driver is this process; local[*] if there is no remote either
    remote : Spark Connect server, sc://host:port
    app_name : name of the application, as shown by the cluster
    catalog_dir : folder of the embedded catalog and its tables; a local master has one anyway
    connect_timeout : seconds until the session must have started and run a first job
    spark_log : file for what the Java process of the session prints
    """

    method: SparkConnectionMethod = SparkConnectionMethod.SESSION
    master: str | None = None
    remote: str | None = None
    app_name: str = "dbt"
    catalog_dir: str | None = None
    connect_timeout: int = 120
    spark_log: str = "logs/spark.log"

    def __post_init__(self) -> None:
        # dbt-spark asks for a host with every method.
        self.host = self.host or "session"
        if self.method != SparkConnectionMethod.SESSION:
            raise DbtRuntimeError(
                f"The method is {self.method}, but the type sparksession has only the method "
                "session. Use the type spark for thrift, http and odbc."
            )
        super().__post_init__()
        self._settle_on_one_place()
        if self.connect_timeout <= 0:
            raise DbtRuntimeError(
                f"connect_timeout is {self.connect_timeout}, expected a number of seconds above 0."
            )
        if self.master is not None:
            check_master(self.master)
        if self.remote is not None:
            connect_endpoint(self.remote)

    def _settle_on_one_place(self) -> None:
        self.master = self.master or None
        self.remote = self.remote or None
        if self.master and self.remote:
            raise DbtRuntimeError(
                f"The profile has both a master ({self.master}) and a remote ({self.remote}). "
                "Keep the master if this machine shall drive the session, the remote if a Spark "
                "Connect server does."
            )
        if self.master is None and self.remote is None:
            self.remote = os.environ.get("SPARK_REMOTE") or None
        # Under spark-submit the master is that of its command line.
        if not self.remote and not self.master and "PYSPARK_GATEWAY_PORT" not in os.environ:
            self.master = DEFAULT_MASTER

    @property
    def type(self) -> str:
        return "sparksession"

    @property
    def unique_field(self) -> str:
        return self.remote or self.master or "spark-submit"

    @property
    def is_local(self) -> bool:
        return bool(self.master and self.master.startswith("local"))

    def _connection_keys(self) -> tuple[str, ...]:
        return ("master", "remote", "schema", "app_name", "catalog_dir", "connect_timeout")

    def connection_info(self, *, with_aliases: bool = False) -> Iterable[tuple[str, object]]:
        """Describe the connection for `dbt debug`, without the token that a URL may hold."""
        for key, value in super().connection_info(with_aliases=with_aliases):
            yield key, value.partition("/;")[0] if key == "remote" and value else value


def check_master(master: str) -> None:
    """Refuse what no Spark takes as a master.

    Raises
    ------
    DbtRuntimeError
        With the forms that a master can have.
    """
    if master.startswith("sc://"):
        raise DbtRuntimeError(
            f"The master {master} is the URL of a Spark Connect server. Say remote: {master}"
        )
    if not any(form.fullmatch(master) for form in MASTERS):
        raise DbtRuntimeError(
            f"The master is {master!r}, expected one like {MASTER_FORMS}. "
            "For a Spark Connect server say remote: sc://host:15002 instead."
        )


def connect_endpoint(remote: str) -> tuple[str, int]:
    """Return host and port of a Spark Connect URL.

    Raises
    ------
    DbtRuntimeError
        If it is none.

    Examples
    --------
    >>> connect_endpoint("sc://spark.example/;token=abc")
    ('spark.example', 15002)
    """
    url = urlsplit(remote)
    try:
        port = url.port
    except ValueError:
        port = 0
    if url.scheme != "sc" or not url.hostname or port == 0:
        raise DbtRuntimeError(
            f"The remote is {remote!r}, expected the URL of a Spark Connect server such as "
            f"sc://localhost:{CONNECT_PORT}."
        )
    return url.hostname, port or CONNECT_PORT
