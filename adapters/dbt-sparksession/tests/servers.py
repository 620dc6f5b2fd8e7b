"""Servers of Spark on loopback, started from pip's pyspark and stopped by their process."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import until

# One compiler for short lives, with the memory for compiled code of a usual Java: a build of two
# hundred nodes filled the fifth that the first option leaves, and Java then compiles no more.
QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"


def spark_program(name: str) -> Path:
    # Only here, so that Sail starts beside a client of Spark alone.
    import pyspark

    return Path(pyspark.__file__).parent / "bin" / name


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def running(command: Sequence[str | Path], folder: Path, port: int) -> Iterator[None]:
    """Run a command from when its port answers to the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "JDK_JAVA_OPTIONS": QUICK_JAVA, "SPARK_NO_DAEMONIZE": "1"}
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait(process, port, folder / f"{port}.log")
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    def answers() -> bool:
        assert process.poll() is None, log.read_text(errors="replace")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    until(answers)


@contextmanager
def connect_server(folder: Path) -> Iterator[str]:
    """Run a Spark Connect server and give its URL."""
    port = free_port()
    settings = {
        "spark.connect.grpc.binding.port": port,
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": 2,
        "spark.sql.warehouse.dir": folder / "warehouse",
        # Functions of Python run in the server's workers.
        "spark.pyspark.python": sys.executable,
    }
    conf = [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    command = [spark_program("spark-submit"), "--master", "local[2]", *conf, "--class", server]
    with running([*command, "spark-internal"], folder, port):
        yield f"sc://127.0.0.1:{port}"


@contextmanager
def sail_server(folder: Path, sail: Path | None = None) -> Iterator[str]:
    """Run a Sail server, which needs no Java, and give its URL."""
    port = free_port()
    program = [sys.executable, sail or Path(sys.executable).with_name("sail")]
    address = ["--ip", "127.0.0.1", "--port", str(port)]
    with running([*program, "spark", "server", *address], folder, port):
        yield f"sc://127.0.0.1:{port}"


@contextmanager
def master(folder: Path, *, workers: int) -> Iterator[str]:
    """Run a standalone master with workers of one core each, and give its URL.

    What an executor prints is in `worker-*/<application>/<executor>/stderr` below the folder.
    """
    port = free_port()
    spark_class = spark_program("spark-class")
    local = ["--host", "127.0.0.1", "--webui-port", "0", "--port"]
    master_class = "org.apache.spark.deploy.master.Master"
    with running([spark_class, master_class, *local, str(port)], folder, port):
        url = f"spark://127.0.0.1:{port}"
        with _workers(folder, url, workers):
            yield url


@contextmanager
def _workers(folder: Path, url: str, number: int) -> Iterator[None]:
    if number == 0:
        yield
        return
    port = free_port()
    own = folder / f"worker-{number}"
    worker_class = "org.apache.spark.deploy.worker.Worker"
    command = [spark_program("spark-class"), worker_class, "--host", "127.0.0.1"]
    command += ["--webui-port", "0", "--cores", "1", "--memory", "1g", "--port", str(port)]
    with running([*command, "--work-dir", own, url], own, port), _workers(folder, url, number - 1):
        yield
