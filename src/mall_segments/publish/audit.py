"""What must be true of a candidate before it may be published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from mall_segments.errors import AuditFailedError
from mall_segments.publish.database import (
    LOG,
    MARTS,
    StorageError,
    contents,
    mart_columns,
    private_marts,
    reading,
    write_ahead_log,
)
from mall_segments.publish.dbt_run import Made
from mall_segments.sql_text import identifier

DISK_PROBLEMS = ("No space left on device", "File too large", "Disk quota exceeded")


def drop_orphans(candidate: Path, made: Made) -> list[str]:
    """Drop what no model of the project makes any more from the marts, and return its names."""
    with duckdb.connect(str(candidate)) as connection:
        orphans = sorted(set(mart_columns(connection)) - set(made.marts))
        views = connection.execute(
            "select view_name from duckdb_views() where schema_name = ?", [MARTS]
        ).fetchall()
        for orphan in orphans:
            kind = "view" if (orphan,) in views else "table"
            connection.execute(f"drop {kind} {MARTS}.{identifier(orphan)}")
    return orphans


def audit_candidate(candidate: Path, made: Made) -> None:
    """Check that every mart is there, complete, tested, and of this build.

    Raises
    ------
    AuditFailedError
        With everything that is wrong.
    """
    problems = [
        f"{MARTS}.{mart} was not built in this run; all marts of a build are published together."
        for mart in made.not_built
    ]
    if made.not_tested:
        problems.append(f"Data tests that did not run: {', '.join(made.not_tested)}.")
    with reading(candidate) as connection:
        found = mart_columns(connection)
        problems += _shape_problems(made, found)
        for mart, columns in found.items():
            if "build_id" in columns:
                problems += _build_problems(connection, mart, made)
    if problems:
        raise AuditFailedError(problems)


def stamp_candidate(candidate: Path, build_id: str, duration_seconds: float) -> None:
    """Say in the log of builds that this one is audited, and leave no write-ahead log behind.

    Raises
    ------
    AuditFailedError
        If the log has not exactly one row for this build.
    StorageError
        If the disk cannot hold it.
    """
    with duckdb.connect(str(candidate)) as connection:
        stamped = connection.execute(
            f"update {MARTS}.{LOG} set duration_seconds = ?,"
            " published_at = cast(now() at time zone 'UTC' as timestamp)"
            " where build_id = ? returning build_id",
            [duration_seconds, build_id],
        ).fetchall()
        connection.execute("checkpoint")
    if len(stamped) != 1:
        raise AuditFailedError([f"{MARTS}.{LOG} has {len(stamped)} rows for build {build_id}."])
    if write_ahead_log(candidate).exists():
        raise StorageError("the candidate could not be written in full")


def audit_published(published: Path, candidate: Path) -> None:
    """Check that every table of the candidate is readable and a published file to be has its marts.

    Raises
    ------
    AuditFailedError
    """
    wanted, found = contents(candidate), contents(published)
    with reading(candidate) as connection:
        private = private_marts(connection)
    marts = {
        name: content
        for name, content in wanted.items()
        if name.startswith(f"{MARTS}.") and name.removeprefix(f"{MARTS}.") not in private
    }
    if found != marts:
        differ = sorted(name for name in {*marts, *found} if marts.get(name) != found.get(name))
        raise AuditFailedError([f"The published file would differ in {', '.join(differ)}."])


@contextmanager
def candidate_errors() -> Iterator[None]:
    """Turn what DuckDB says of a full disk or of damaged bytes into a message.

    Raises
    ------
    StorageError, AuditFailedError
    """
    try:
        yield
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        if any(problem in reason for problem in DISK_PROBLEMS):
            raise StorageError(reason) from None
        raise AuditFailedError([f"The candidate cannot be read: {reason}"]) from None


def _shape_problems(made: Made, found: dict[str, list[str]]) -> list[str]:
    problems = []
    for mart, columns in made.marts.items():
        missing = [column for column in columns if column not in found.get(mart, [])]
        if mart not in found:
            problems.append(f"{MARTS}.{mart} is missing.")
        elif missing:
            problems.append(f"{MARTS}.{mart} lacks {', '.join(missing)}.")
    return problems


def _build_problems(connection: duckdb.DuckDBPyConnection, mart: str, made: Made) -> list[str]:
    """Histories hold earlier builds too, and may have nothing to say of this one but in the log."""
    relation = f"{MARTS}.{identifier(mart)}"
    builds = {
        row[0] for row in connection.sql(f"select distinct build_id from {relation}").fetchall()
    }
    others = sorted(map(str, builds - {made.build_id}))
    if made.build_id not in builds and (mart == LOG or mart not in made.histories):
        return [f"{MARTS}.{mart} has no row of build {made.build_id}."]
    if others and mart not in made.histories:
        return [f"{MARTS}.{mart} mixes build {made.build_id} with {', '.join(others)}."]
    return []
