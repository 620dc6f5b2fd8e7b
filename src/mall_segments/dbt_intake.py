"""What the intake model calls: a source of customers in, their text rows out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mall_segments.engines import is_of_spark, missing_table_errors
from mall_segments.errors import InputRefusedError, SettingError
from mall_segments.intake.appended import LastRow
from mall_segments.intake.source import inspect_file, inspect_relation
from mall_segments.settings import parse_flag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from duckdb import DuckDBPyConnection, DuckDBPyRelation
    from pyspark.sql import DataFrame


def raw_customers(
    session: Any, seed: Callable[[], Any], previous: Any, settings: Mapping[str, object]
) -> DuckDBPyRelation | DataFrame:
    """Return the five fields of every row of the source as text, with its line number.

    The source is the file `customers_path`, else the relation `customers_relation`, else the seed.
    It is judged by every rule and gate before anything is returned, so that a refused source stops
    the build before anything of it is written.

    Parameters
    ----------
    session : DuckDB connection or Spark session
    seed : callable
        Returns the relation or data frame of the seed; called where that is the source.
    previous : relation or None
        This model as the last build left it, where only what comes after it is wanted.
    settings : mapping
        `customers_path`, `customers_relation`, `column_aliases`, `gender_map`, `appended`, `refit`
        and the gates.

    Returns
    -------
    relation with `line_number`, one text column per field, `fields_found` (null for a table) and
    `intake_reason` (why the record is refused before its values are looked at, else null)

    Raises
    ------
    SettingError, InputRefusedError, NotAppendedError
    """
    is_appended = parse_flag(settings["appended"], "appended")
    if is_of_spark(session):
        if is_appended:
            raise SettingError("appended", True, "false on Spark")
        from mall_segments.intake.spark_source import raw_customers_of_spark

        return raw_customers_of_spark(session, seed, settings)
    if is_appended and parse_flag(settings["refit"], "refit"):
        raise SettingError("appended", True, "false, or refit: false beside it")
    last = LastRow.of(previous) if previous is not None else None
    if settings["customers_path"]:
        path = Path(str(settings["customers_path"]))
        inspection = inspect_file(session, path, settings, last=last)
    elif settings["customers_relation"]:
        relation = _relation(session, str(settings["customers_relation"]))
        inspection = inspect_relation(session, relation, settings, last)
    else:
        inspection = inspect_relation(session, loaded(seed), settings, last)
    if inspection.rows is None or inspection.error:
        raise inspection.error or AssertionError("an inspection ends with rows or an error")
    return inspection.rows


def loaded(seed: Callable[[], Any]) -> Any:
    """Return the seed, or refuse to build from one that is not loaded."""
    try:
        return seed()
    except missing_table_errors():
        raise InputRefusedError(
            "SEED_NOT_LOADED",
            "The customers are those of the seed, and its table is not there.",
            "Run dbt seed first, or dbt build; or name customers: customers_path, "
            "customers_relation.",
        ) from None


def _relation(session: DuckDBPyConnection, name: str) -> DuckDBPyRelation:
    import duckdb

    try:
        return session.table(name)
    except duckdb.Error as error:
        raise InputRefusedError(
            "RELATION_NOT_FOUND",
            f"There is no relation {name} in the warehouse: {str(error).splitlines()[0]}",
            "Name it with its schema: customers_relation: crm.customers.",
        ) from None
