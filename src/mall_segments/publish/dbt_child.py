"""dbt as a child process that never outlives the build that started it.

Its standard input is a pipe that only the build holds open; when the build ends in any way, kill -9
among them, the pipe closes and dbt goes too.
"""

from __future__ import annotations

import os
import sys
import threading


def main() -> None:
    """Run dbt with the arguments of this process."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _keep_what_was_parsed()
    from dbt.cli.main import cli

    sys.argv[0] = "dbt"
    cli()


def _keep_what_was_parsed() -> None:
    """Let dbt parse only what changed: a new path of the database would make it begin anew.

    Every candidate has a path of its own, and no model asks for it.
    """
    from dbt.adapters.duckdb.credentials import DuckDBCredentials

    known = DuckDBCredentials._connection_keys

    def keys_without_path(credentials: DuckDBCredentials) -> tuple[str, ...]:
        return tuple(key for key in known(credentials) if key != "path")

    DuckDBCredentials._connection_keys = keys_without_path  # type: ignore[method-assign]


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(os.EX_UNAVAILABLE)


if __name__ == "__main__":
    main()
