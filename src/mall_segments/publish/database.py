"""What publishing asks of a DuckDB file, opened for one question and closed again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from mall_segments.environment import MEMORY_LIMIT, environment_variable
from mall_segments.errors import MallSegmentsError, NotBuiltError
from mall_segments.sql_text import identifier, literal

# The oldest format that DuckDB 1.x and 2.x write; every released driver since 1.0 opens it.
PUBLISHED_STORAGE = "v1.0.0"
MARTS = "marts"
LOG = "builds"
# Column of the log: whether the published file of a build has marts of single customers.
CUSTOMERS_FLAG = "publishes_customers"
DEFAULT_MEMORY = "4GB"
# What DuckDB says of a file that another process has open.
LOCKED = "Could not set lock on file"
HOLDER = re.compile(r"held in (.+?\(PID \d+\))")


class StorageError(MallSegmentsError):
    """A disk or folder that cannot be written."""

    exit_code = os.EX_IOERR

    def __init__(self, problem: str) -> None:
        super().__init__(
            "STORAGE",
            f"The files cannot be written: {problem}.",
            "Free space, or give the folder to the user who builds, and build again.",
        )


class InUseError(MallSegmentsError):
    """A DuckDB file that another process has open to write; DuckDB locks it.

    Attributes
    ----------
    path : the file
    """

    exit_code = os.EX_TEMPFAIL

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(
            "IN_USE",
            f"{path} is locked: {holder} has it open.",
            "Close it there, or let that program open it read-only (docs/publishing.md), and try "
            "again.",
        )
        self.path = path


class DamagedWarehouseError(MallSegmentsError):
    """A warehouse file that DuckDB cannot read."""

    exit_code = os.EX_IOERR

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            "WAREHOUSE_NOT_READABLE",
            f"The warehouse {path} cannot be read: {problem}.",
            "Restore it from a backup, or move it away to start anew without its history; what BI "
            "reads stays as it is.",
        )


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn what the disk refuses into a message."""
    try:
        yield
    except duckdb.IOException as error:
        raise StorageError(str(error).splitlines()[0]) from None
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        raise StorageError(f"{error.strerror}{where}") from None


@contextmanager
def reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file read-only, or raise InUseError."""
    with lock_errors(path):
        connection = duckdb.connect(str(path), read_only=True)
    with connection:
        # A table that is not there is missing, not a variable of Python that is called as it is.
        connection.execute("set python_enable_replacements = false")
        yield connection


@contextmanager
def lock_errors(path: Path) -> Iterator[None]:
    """Turn what DuckDB says of a file that is locked into a message."""
    try:
        yield
    except duckdb.IOException as error:
        if LOCKED not in str(error):
            raise
        holder = HOLDER.search(str(error))
        raise InUseError(path, holder[1] if holder else "another process") from None


def write_ahead_log(path: Path) -> Path:
    """Return where DuckDB keeps the write-ahead log of a file."""
    return path.with_name(path.name + ".wal")


def build_of(path: Path) -> str | None:
    """Return the id of the build that a file holds; None without a file that says one.

    Raises
    ------
    InUseError
    """
    try:
        with reading(path) as connection:
            return build_in(connection)
    except (duckdb.Error, NotBuiltError):
        return None


def build_in(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the id of the build in an open file, or raise NotBuiltError."""
    try:
        rows = connection.sql(f"select build_id from {MARTS}.segmentation_quality").fetchall()
    except duckdb.CatalogException:
        rows = []
    if len(rows) != 1:
        raise NotBuiltError(f"The file holds {len(rows)} builds, not one.")
    return rows[0][0]


def contents(path: Path) -> dict[str, tuple[int, int]]:
    """Return the rows and a hash of every value of each table of a file, by schema and name.

    It reads every block, so that a damaged one shows.
    """
    with reading(path) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = current_database() order by all"
        ).fetchall()
        return {
            f"{schema}.{table}": connection.sql(
                "select count(*), coalesce(bit_xor(hash(all_columns)), 0)"
                f" from {identifier(schema)}.{identifier(table)} as all_columns"
            ).fetchall()[0]
            for schema, table in tables
        }


def is_readable(path: Path) -> bool:
    """Whether every value of a file can be read."""
    try:
        contents(path)
    except duckdb.Error:
        return False
    return True


def mart_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Return the columns of every relation in the schema of the marts."""
    rows = connection.execute(
        "select table_name, column_name from information_schema.columns"
        " where table_catalog = current_database() and table_schema = ?"
        " order by table_name, ordinal_position",
        [MARTS],
    ).fetchall()
    columns: dict[str, list[str]] = {}
    for table, column in rows:
        columns.setdefault(table, []).append(column)
    return columns


def private_marts(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the marts of single customers if the last build of the database in use keeps them."""
    try:
        rows = connection.execute(
            f"select {CUSTOMERS_FLAG} from {MARTS}.{LOG} order by rowid desc limit 1"
        ).fetchall()
    except (duckdb.BinderException, duckdb.CatalogException):
        # No log, or one of before the flag was there.
        return set()
    if not rows or rows[0][0] is not False:
        return set()
    return {mart for mart, columns in mart_columns(connection).items() if "customer_id" in columns}


def write_published(warehouse: Path, target: Path) -> None:
    """Write the marts of a warehouse, and nothing else, to a new file that old drivers open.

    Constraints, comments and the order of rows are kept. Marts of single customers are left out if
    the last build says so.
    """
    memory = environment_variable(MEMORY_LIMIT, DEFAULT_MEMORY)
    with duckdb.connect(config={"memory_limit": memory}) as connection:
        connection.execute(f"attach {literal(str(warehouse))} as warehouse (read_only)")
        connection.execute(
            f"attach {literal(str(target))} as published (storage_version '{PUBLISHED_STORAGE}')"
        )
        connection.execute("use warehouse")
        private = private_marts(connection)
        connection.execute(f"create schema published.{MARTS}")
        connection.execute("use published")
        tables = connection.execute(
            "select table_name, sql, comment from duckdb_tables()"
            " where database_name = 'warehouse' and schema_name = ? order by table_name",
            [MARTS],
        ).fetchall()
        for table, definition, comment in tables:
            if table in private:
                continue
            name = f"{MARTS}.{identifier(table)}"
            connection.execute(definition)
            connection.execute(f"insert into {name} from warehouse.{name}")
            if comment is not None:
                connection.execute(f"comment on table {name} is {literal(comment)}")
        columns = connection.execute(
            "select table_name, column_name, comment from duckdb_columns()"
            " where database_name = 'warehouse' and schema_name = ? and comment is not null",
            [MARTS],
        ).fetchall()
        for table, column, comment in columns:
            if table in private:
                continue
            name = f"{MARTS}.{identifier(table)}.{identifier(column)}"
            connection.execute(f"comment on column {name} is {literal(comment)}")
        connection.execute("use memory")
        connection.execute("detach published")
