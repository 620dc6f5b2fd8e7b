"""A DuckDB file that another process has open to write."""

import subprocess
import sys
from contextlib import contextmanager

SCRIPT = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); input()"


@contextmanager
def locked(path):
    """Give the process that has a file open to write, which it makes if it is not there."""
    command = [sys.executable, "-c", SCRIPT, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline()
        yield holder
        # It ends with an error of input(), which nobody reads.
        holder.kill()
