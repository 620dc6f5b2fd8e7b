"""What can be known to be missing before Spark looks for it, and waits, and prints its insides."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from dbt.adapters.exceptions import FailedToConnectError
from dbt.adapters.sparksession.credentials import SparkSessionCredentials, connect_endpoint

# https://spark.apache.org/docs/latest/: Spark 4 runs on Java 17 and 21.
OLDEST_JAVA = 17
# Seconds that a host may take to answer: one that drops packets never does.
ANSWER_TIMEOUT = 10.0
JAVA_HINT = (
    f"Install Java {OLDEST_JAVA} or 21 and put it on the PATH, or name its folder in JAVA_HOME. "
    "With a Spark Connect server (remote: sc://host:15002) this machine needs no Java."
)
HADOOP_FOLDERS = ("HADOOP_CONF_DIR", "YARN_CONF_DIR")


def check(credentials: SparkSessionCredentials) -> None:
    """Refuse a session that cannot start.

    Raises
    ------
    FailedToConnectError
        What is missing, and what to do.
    """
    if credentials.remote:
        host, port = connect_endpoint(credentials.remote)
        _check_endpoint(
            f"Spark Connect server {host}:{port}",
            [(host, port)],
            credentials,
            "Is it running (sbin/start-connect-server.sh, or sail spark server) and is the remote "
            "of the profile right?",
        )
    elif "PYSPARK_GATEWAY_PORT" not in os.environ:
        # Under spark-submit Java runs already.
        check_java()
        master = credentials.master or ""
        if master.startswith("spark://"):
            hosts = master.removeprefix("spark://").split(",")
            _check_endpoint(
                f"master {master}",
                [(host, int(port)) for host, _, port in (name.partition(":") for name in hosts)],
                credentials,
                "Is it running (sbin/start-master.sh) and is the master of the profile right?",
            )
        if master == "yarn" and not any(os.environ.get(name) for name in HADOOP_FOLDERS):
            raise FailedToConnectError(
                "The master is yarn, and neither HADOOP_CONF_DIR nor YARN_CONF_DIR is set. "
                "Set one to the folder with the configuration of the cluster."
            )


def check_java() -> None:
    """Refuse to go on without a Java that Spark 4 runs on.

    Raises
    ------
    FailedToConnectError
        If there is none, or an older one.
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if java is None:
        where = f"in JAVA_HOME ({home})" if home else "on the PATH, and JAVA_HOME is not set"
        raise FailedToConnectError(f"No Java found {where}. {JAVA_HINT}")
    asked = [java, "-version"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stderr  # noqa: S603
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is None:
        raise FailedToConnectError(f"{java} -version said {said.strip()!r}. {JAVA_HINT}")
    if int(version[1]) < OLDEST_JAVA:
        raise FailedToConnectError(
            f"{java} is Java {version[1]}, Spark 4 needs {OLDEST_JAVA} or newer. {JAVA_HINT}"
        )


def _check_endpoint(
    name: str,
    addresses: list[tuple[str, int]],
    credentials: SparkSessionCredentials,
    hint: str,
) -> None:
    """Refuse a server of which no address answers."""
    timeout = min(ANSWER_TIMEOUT, credentials.connect_timeout)
    reasons = list(_silences(addresses, timeout))
    if len(reasons) == len(addresses):
        raise FailedToConnectError(f"The {name} cannot be reached: {'; '.join(reasons)}. {hint}")


def _silences(addresses: list[tuple[str, int]], timeout: float) -> Iterator[str]:
    for host, port in addresses:
        try:
            socket.create_connection((host, port), timeout=timeout).close()
        except TimeoutError:
            yield f"{host}:{port} did not answer within {timeout:g} seconds"
        except socket.gaierror:
            yield f"the host {host} is unknown"
        except OSError as error:
            yield f"{host}:{port}: {error.strerror or error}"
