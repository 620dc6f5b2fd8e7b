"""What a process costs, as the operating system accounts for it, and where it ran."""

from __future__ import annotations

import os
import platform
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Run:
    """What the operating system accounted to one process and those it waited for."""

    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float

    @classmethod
    def median(cls, runs: Iterable[Run]) -> Run:
        """Return the median of each measure."""
        return cls(*map(statistics.median, zip(*map(astuple, runs), strict=True)))


def measure(
    command: list[str], environment: dict[str, str] | None = None, limit: float | None = None
) -> Run | None:
    """Run a command in the project and return its cost, or None beyond so many seconds.

    The exit is that of the benchmark if the command fails. A process inherits the peak memory of
    the one that starts it, so whoever calls this must itself stay small: no data, no DuckDB.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | (environment or {}),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    expired = threading.Event()
    timer = threading.Timer(limit or threading.TIMEOUT_MAX, end, (process.pid, expired))
    timer.daemon = True
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        end(process.pid, expired)
        raise
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if expired.is_set():
        return None
    if status:
        sys.exit(f"{' '.join(command)} failed with status {process.returncode}")
    cpu = usage.ru_utime + usage.ru_stime
    return Run(time.perf_counter() - start, cpu, usage.ru_maxrss / 1024)


def output(code: str) -> str:
    """Run Python beside the benchmarks, in a process of its own, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def end(group: int, expired: threading.Event) -> None:
    """End a process with all that it started."""
    expired.set()
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def machine(packages: Iterable[str]) -> str:
    """Describe the machine, the versions, the time, and how busy the machine is."""
    versions = ", ".join(f"{name} {installed(name)}" for name in packages if installed(name))
    gigabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{os.cpu_count()} cores ({processor()}), {gigabytes:.0f} GB, {platform.system()}; "
        f"Python {platform.python_version()}, {versions}; {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, "
        f"load average {os.getloadavg()[0]:.1f}"
    )


def installed(package: str) -> str | None:
    """Return the version of a package, if it is there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """Return the name of the processor, as far as the system tells."""
    description = Path("/proc/cpuinfo")
    if description.exists():
        for line in description.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
