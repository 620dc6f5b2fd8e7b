"""The one SparkSession of this process: started once, shared by all threads, stopped at the end."""

from __future__ import annotations

import atexit
import os
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.exceptions import FailedToConnectError
from dbt.adapters.sparksession import preflight
from dbt.adapters.sparksession.credentials import SparkSessionCredentials
from dbt.adapters.sparksession.messages import short_message
from dbt.adapters.sparksession.session_conf import catalog_dir, session_conf

logger = AdapterLogger("SparkSession")

# Seconds that the Java process has to end by itself once it is told to.
STOP_TIMEOUT = 15
# What Derby says when another process has opened the catalog.
CATALOG_IN_USE = "ERROR XSDB6"
LOG_LINES = 15
# Milliseconds that a client waits at most between two attempts to reach a lost Connect server.
LONGEST_BACKOFF = 5000


class _Shared:
    """The session, whose it is, and why it could not be started.

    dbt's threads ask at the same time: one starts it, the others wait and get it, or its error.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._session: Any = None
        self._identity: object = None
        self._is_ours = False
        self._failure: FailedToConnectError | None = None
        self._failed_at = 0.0

    def get(self, credentials: SparkSessionCredentials) -> Any:
        asked_at = time.monotonic()
        identity = _identity(credentials)
        with self._lock:
            if self._session is not None and (
                self._identity != identity or not _is_alive(self._session)
            ):
                self.stop()
            if self._session is None:
                if self._failure is not None and asked_at < self._failed_at:
                    raise self._failure
                self._start(credentials)
                self._identity = identity
            return self._session

    def _start(self, credentials: SparkSessionCredentials) -> None:
        try:
            self._session, self._is_ours = _start(credentials)
        except FailedToConnectError as error:
            self._failure, self._failed_at = error, time.monotonic()
            raise

    def stop(self) -> None:
        with self._lock:
            session, self._session = self._session, None
            if session is not None and self._is_ours:
                _stop(session)


_shared = _Shared()
atexit.register(_shared.stop)


def session_for(credentials: SparkSessionCredentials) -> Any:
    """Return the session of a profile, active in this thread; the first call starts it.

    Raises
    ------
    FailedToConnectError
        If it cannot start, with the reason and what to do.
    """
    session = _shared.get(credentials)
    if _is_remote(session):
        # The active session of a Connect client is one per thread, and MLlib asks for it.
        type(session)._set_default_and_active_session(session)
    return session


def stop() -> None:
    """Stop the session, unless it was there before dbt."""
    _shared.stop()


@contextmanager
def cancellable(session: Any, tag: str) -> Iterator[None]:
    """Mark what this thread runs, so that another thread can cancel it by the tag."""
    # The tags of a session with a driver are known to the thread that set them alone.
    jobs = None if _is_remote(session) else session.sparkContext
    (session.addTag if jobs is None else jobs.addJobTag)(tag)
    try:
        yield
    finally:
        # A session that was lost has no tags either.
        if _is_alive(session):
            (session.removeTag if jobs is None else jobs.removeJobTag)(tag)


def cancel(session: Any, tag: str) -> None:
    """Interrupt what runs under a tag, in whichever thread."""
    if _is_remote(session):
        session.interruptTag(tag)
    else:
        session.sparkContext.cancelJobsWithTag(tag)


def delete_location(session: Any, schema: str | None, identifier: str | None) -> None:
    """Delete the folder where Spark would put a table, and refuses to if it is there already.

    Only the process with the driver can: a Connect server has no function for it.
    """
    if _is_remote(session):
        return
    folder = session.catalog.getDatabase(schema).locationUri
    path = session._jvm.org.apache.hadoop.fs.Path(folder, identifier)
    files = path.getFileSystem(session._jsc.hadoopConfiguration())
    if files.exists(path):
        files.delete(path, True)


def is_spark(session: Any) -> bool:
    """Return whether the session is one of Spark itself, not of a server that speaks like it.

    Sail gives its own version here, and Spark's to its clients. It cannot rename a table, but
    replaces one in one step.
    """
    version = session.sql("select version()").collect()[0][0]
    return str(version).startswith(session.version)


def _identity(credentials: SparkSessionCredentials) -> object:
    return credentials.remote, credentials.connect_timeout, session_conf(credentials)


def _is_remote(session: Any) -> bool:
    return type(session).__module__.startswith("pyspark.sql.connect")


def _is_alive(session: Any) -> bool:
    if _is_remote(session):
        return not session.is_stopped
    try:
        return not session.sparkContext._jsc.sc().isStopped()
    except Exception:  # its Java process is gone, or the context was stopped here
        return False


def _start(credentials: SparkSessionCredentials) -> tuple[Any, bool]:
    """Return the session, and whether this module has to stop it."""
    if credentials.remote:
        # With pyspark-client there is nothing of a driver to ask for.
        preflight.check(credentials)
        return _start_remote(credentials), True
    from pyspark import SparkContext

    if SparkContext._active_spark_context is not None:
        logger.info("Using the Spark session that this process has already.")
        return _adopted(credentials), False
    preflight.check(credentials)
    return _start_driver(credentials), True


def _adopted(credentials: SparkSessionCredentials) -> Any:
    from pyspark.sql import SparkSession

    session = SparkSession.builder.getOrCreate()
    _configure(session, credentials)
    return session


def _configure(session: Any, credentials: SparkSessionCredentials) -> None:
    """Set what can be set in a session that runs.

    Raises
    ------
    FailedToConnectError
        For a setting of the profile that is fixed from the start.
    """
    for key, value in credentials.server_side_parameters.items():
        try:
            session.conf.set(key, value)
        except Exception as error:
            raise FailedToConnectError(
                f"The session does not take the setting {key}: {value} of the profile: "
                f"{short_message(error)} Set it where the session is started."
            ) from error


def _start_remote(credentials: SparkSessionCredentials) -> Any:
    try:
        from pyspark.sql.connect.client.retries import DefaultPolicy
    except ImportError as error:
        raise FailedToConnectError(
            f"A remote needs the Connect client of Spark: {error}. "
            "Install it with pip install 'pyspark[connect]'."
        ) from error
    from pyspark.sql import SparkSession

    remote = credentials.remote or ""

    def start() -> Any:
        session = SparkSession.builder.remote(remote).create()
        # By default a client looks for a lost server for ten minutes.
        waits = max(1, credentials.connect_timeout * 1000 // LONGEST_BACKOFF)
        session.client.set_retry_policies(
            [DefaultPolicy(max_retries=waits, max_backoff=LONGEST_BACKOFF)]
        )
        # The server drops a session with its views and, on Sail, its tables. One that the profile
        # names is to be found again.
        session.release_session_on_close = ";session_id=" not in remote
        session.range(1).collect()
        _configure(session, credentials)
        return session

    return _within(
        credentials.connect_timeout,
        start,
        failed="The Spark Connect server {remote} accepted the connection but runs nothing",
        credentials=credentials,
    )


def _start_driver(credentials: SparkSessionCredentials) -> Any:
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    conf = SparkConf()
    for key, value in session_conf(credentials).items():
        conf.set(key, value)
    folder = catalog_dir(credentials)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    log = Path(credentials.spark_log)
    log.parent.mkdir(parents=True, exist_ok=True)

    def start() -> Any:
        with log.open("wb") as printed:
            gateway = launch_gateway(conf, {"stdout": printed, "stderr": subprocess.STDOUT})
        SparkContext(conf=conf, gateway=gateway)
        session = SparkSession.builder.getOrCreate()
        # Opens the catalog, so that one in use is found here.
        session.sql("show databases").collect()
        if not (credentials.master or "").startswith("local["):
            # A master accepts applications whether or not it has a worker for them.
            session.range(1).count()
        return session

    try:
        return _within(
            credentials.connect_timeout,
            start,
            failed="The Spark session on {master} did not start",
            credentials=credentials,
        )
    except BaseException as error:
        _forget_driver()
        if isinstance(error, FailedToConnectError):
            raise FailedToConnectError(_with_log(error.msg, log, folder)) from None
        raise


def _within(
    seconds: int, start: Callable[[], Any], failed: str, credentials: SparkSessionCredentials
) -> Any:
    """Return what `start` returns, if it does in time."""
    done: dict[str, Any] = {}

    def run() -> None:
        try:
            done["session"] = start()
        except BaseException as error:
            done["error"] = error

    # A daemon: one that waits for a server for ever does not keep the process.
    thread = threading.Thread(target=run, name="start of the Spark session", daemon=True)
    thread.start()
    thread.join(seconds)
    if "session" in done:
        return done["session"]
    failed = failed.format(remote=credentials.remote, master=credentials.master or "spark-submit")
    if "error" in done:
        raise FailedToConnectError(f"{failed}: {short_message(done['error'])}") from done["error"]
    raise FailedToConnectError(
        f"{failed} within {seconds} seconds (connect_timeout of the profile). Has the cluster "
        "workers with free cores and memory (spark.executor.memory, spark.cores.max)?"
    )


def _with_log(message: str, log: Path, folder: Path | None) -> str:
    printed = log.read_text(errors="replace") if log.exists() else ""
    if CATALOG_IN_USE in printed:
        return (
            f"The catalog in {folder} is used by another process; it admits one. Wait until that "
            "one has ended, or name another folder: catalog_dir in the profile."
        )
    if "JAVA_GATEWAY_EXITED" in message:
        last = "\n".join(printed.splitlines()[-LOG_LINES:])
        message = f"The Java process of the Spark session ended at once. It printed:\n{last}"
    return f"{message}\nAll that it printed is in {log}."


def _stop(session: Any) -> None:
    try:
        # A Connect client warns when its server is gone.
        with warnings.catch_warnings(action="ignore"):
            if _is_alive(session):
                session.stop()
    except Exception as error:
        logger.debug(f"While the Spark session was stopped: {short_message(error)}")
    finally:
        if _is_remote(session):
            # pyspark sets it with the first Connect session, and then refuses one with a driver.
            os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
        else:
            _forget_driver()


def _forget_driver() -> None:
    """End the Java process, and let pyspark start another one.

    A catalog and options of Java belong to the process. pyspark keeps it in these attributes, and
    has no function that ends it.
    """
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    gateway = SparkContext._gateway
    SparkContext._active_spark_context = None
    SparkContext._gateway = SparkContext._jvm = None
    SparkSession._instantiatedSession = SparkSession._activeSession = None
    if gateway is None:
        return
    gateway.shutdown()
    process = gateway.proc
    if process is None:
        return
    # It ends when its input does. The next one needs the catalog that this one has open.
    process.stdin.close()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
