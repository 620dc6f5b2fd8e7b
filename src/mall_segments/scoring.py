"""Assign the customers of a file by the stored model, in SQL and bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from mall_segments.assignment import CUSTOMER_COLUMNS
from mall_segments.dbt_segmentation import read_model
from mall_segments.duckdb_engine import assign
from mall_segments.errors import MallSegmentsError, NotBuiltError
from mall_segments.intake.source import inspect_file
from mall_segments.project_sql import render_model
from mall_segments.settings import PROFILE_FEATURES, parse_gender_map
from mall_segments.sql_text import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMATS = {".csv": "format csv, header", ".parquet": "format parquet, compression zstd"}
# A file to score may be one customer; a source to fit on may not.
NO_MINIMUM: dict[str, object] = {"min_customers": 1, "min_distinct_points": 1}
WHOLE_NUMBERS = ("age", "spending_score")
# Beyond it the engine spills to disk.
MEMORY = "2GB"
FEATURE_SET = "select distinct feature from stored.ml.int_segment_model"


class OutputFormatError(MallSegmentsError):
    """A name for the scored customers that tells no format."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "OUTPUT_FORMAT",
            f"The output is {path}, expected a name that ends in {' or '.join(FORMATS)}.",
            "Give --to another name.",
        )


@dataclass(frozen=True)
class Scored:
    """What came of a file.

    Attributes
    ----------
    model_id : model that assigned the customers
    customers : customers of each segment key
    out_of_domain : customers beyond the range that the model was fitted on
    rejected : rows that are no customers
    rejected_file : where they are, with their reasons; None if there are none
    """

    model_id: str
    customers: dict[str, int]
    out_of_domain: int
    rejected: int
    rejected_file: Path | None


def score_file(
    file: Path, warehouse: Path, output: Path, settings: Mapping[str, object], spill: Path
) -> Scored:
    """Write the segment of every customer of a file.

    The rows are judged by the rules of a build, and scaled and assigned by the model that the
    warehouse serves: what was fitted is what scores.

    Parameters
    ----------
    file : CSV or Parquet file of customers
    warehouse : DuckDB file with a model
    output : CSV or Parquet file to write, one row per customer in the order of their ids
    settings : `column_aliases`, `gender_map` and the gates
    spill : folder for what does not fit into memory

    Raises
    ------
    InputRefusedError, NotBuiltError, OutputFormatError, SettingError
    """
    if output.suffix not in FORMATS:
        raise OutputFormatError(output)
    with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(spill)}) as session:
        _attach(session, warehouse)
        judged: dict[str, object] = {**settings, **NO_MINIMUM}
        inspection = inspect_file(session, file, judged)
        if inspection.rows is None or inspection.error:
            raise inspection.error or AssertionError("an inspection ends with rows or an error")
        inspection.rows.create_view("file_rows")
        variables = {"gender_map": parse_gender_map(settings["gender_map"])}
        parsed = render_model("stg_customers_parsed", {"raw_customers": "file_rows"}, variables)
        session.execute(f"create temp table parsed as {parsed}")
        model_id = _assign(session)
        _write(session, "scored", output, "customer_id")
        counts = session.sql(
            "select segment_key, count(*), count(*) filter (is_out_of_domain) from scored"
            " group by segment_key order by segment_key"
        ).fetchall()
        rejected = len(session.sql("from parsed where reasons is not null"))
        rejected_file = output.with_name(f"{output.stem}.rejected.csv") if rejected else None
        if rejected_file:
            refused = "select line_number, customer_id, reasons from parsed"
            session.sql(f"{refused} where reasons is not null").create_view("refused")
            _write(session, "refused", rejected_file, "line_number")
    return Scored(
        model_id=model_id,
        customers={key: customers for key, customers, _ in counts},
        out_of_domain=sum(outside for *_, outside in counts),
        rejected=rejected,
        rejected_file=rejected_file,
    )


def _attach(session: DuckDBPyConnection, warehouse: Path) -> None:
    if not warehouse.exists():
        raise NotBuiltError(f"There is no warehouse at {warehouse}.")
    try:
        session.execute(f"attach {literal(str(warehouse))} as stored (read_only)")
        session.execute(FEATURE_SET)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise NotBuiltError(f"{warehouse} holds no model: {reason}") from None


def _assign(session: DuckDBPyConnection) -> str:
    """Leave the scored customers in the table `scored` and return the id of the model."""
    in_model = {feature for (feature,) in session.execute(FEATURE_SET).fetchall()}
    features = [feature for feature in PROFILE_FEATURES if feature in in_model]
    model = read_model(session.table("stored.ml.int_segment_model"), features)
    if model is None:
        raise NotBuiltError("The warehouse holds a model without segments.")
    columns = ", ".join(
        f"cast({name} as double) as {name}" if name in PROFILE_FEATURES else name
        for name in CUSTOMER_COLUMNS
    )
    customers = session.sql(f"select {columns} from parsed where reasons is null")
    registered = model.registered
    assigned = assign(customers, model.scaling, registered.centroids, registered.keys)
    assigned.create_view("assigned")
    names = ", ".join(
        f"cast(assigned.{name} as integer) as {name}"
        if name in WHOLE_NUMBERS
        else f"assigned.{name}"
        for name in assigned.columns
    )
    session.execute(
        f"create temp table scored as select {names}, segment_profiles.segment_name,"
        f" segment_profiles.value_tier, {literal(model.model_id)} as model_id from assigned"
        " left join stored.marts.segment_profiles as segment_profiles using (segment_key)"
    )
    return model.model_id


def _write(session: DuckDBPyConnection, relation: str, path: Path, key: str) -> None:
    session.execute(
        f"copy (select * from {relation} order by {key})"
        f" to {literal(str(path))} ({FORMATS[path.suffix]})"
    )
