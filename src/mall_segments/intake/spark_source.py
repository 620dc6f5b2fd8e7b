"""A table of Spark as a source of customers: judged in Spark, by the same rules and gates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mall_segments.errors import InputRefusedError
from mall_segments.intake.gates import check_gates, parse_gates
from mall_segments.intake.header import FIELDS, Header, resolve_header
from mall_segments.intake.source import PARSED
from mall_segments.intake.tally import tally_rows
from mall_segments.intake.text_rows import ROWS
from mall_segments.project_sql import render_model, render_sql
from mall_segments.settings import parse_aliases, parse_gender_map
from mall_segments.spark_engine import SparkEngine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def raw_customers_of_spark(
    session: SparkSession, seed: Callable[[], DataFrame], settings: Mapping[str, object]
) -> DataFrame:
    """Do on Spark what `dbt_intake.raw_customers` does on DuckDB; a source is a table there.

    Raises
    ------
    SettingError, InputRefusedError
    """
    source = _source(session, seed, settings)
    gates = parse_gates(settings)
    header = resolve_header(source.columns, parse_aliases(settings["column_aliases"]))
    rows = _text_rows(source, header)
    rows.createOrReplaceTempView(ROWS)
    variables = {"gender_map": parse_gender_map(settings["gender_map"])}
    parsed = render_model("stg_customers_parsed", {"raw_customers": ROWS}, variables, "spark")
    session.sql(parsed).createOrReplaceTempView(PARSED)
    check_gates(tally_rows(SparkEngine(session), PARSED, ROWS, engine="spark"), gates)
    return rows


def _source(
    session: SparkSession, seed: Callable[[], DataFrame], settings: Mapping[str, object]
) -> DataFrame:
    from pyspark.errors import AnalysisException

    if settings["customers_path"]:
        raise InputRefusedError(
            "FILE_ON_SPARK",
            f"customers_path is {settings['customers_path']}, and Spark builds from tables.",
            "Load the file as a table, and name that: customers_relation: crm.customers.",
        )
    if not settings["customers_relation"]:
        from mall_segments.dbt_intake import loaded

        return loaded(seed)
    name = str(settings["customers_relation"])
    try:
        source = session.table(name)
        source.schema  # noqa: B018 - a client of Spark Connect looks the table up only now
    except AnalysisException as error:
        raise InputRefusedError(
            "RELATION_NOT_FOUND",
            f"There is no relation {name} in the catalog: {str(error).splitlines()[0]}",
            "Name it with its schema: customers_relation: crm.customers.",
        ) from None
    return source


def _text_rows(source: DataFrame, header: Header) -> DataFrame:
    """Return the rows as text, numbered from 2 as if a header stood above them.

    Numbers of a table in several parts have gaps: to close them, one executor would have to see all
    rows.
    """
    text = [f"cast(`{header.columns[field]}` as string) as {field}" for field in FIELDS]
    rows = source.selectExpr(
        "cast(monotonically_increasing_id() + 2 as bigint) as line_number",
        *text,
        "cast(null as integer) as fields_found",
        "cast(null as string) as intake_reason",
    )
    record = f"concat_ws('', {', '.join(FIELDS)})"
    visible = render_sql(f"{{{{ clean_text(\"{record}\") }}}} <> ''", {}, {}, "spark")
    return rows.where(visible)
