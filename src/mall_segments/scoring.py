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
from mall_segments.errors import NotBuiltError
from mall_segments.intake.source import inspect_file
from mall_segments.outputs import (
    MARK,
    NoFolderError,
    OutputFormatError,
    is_ours,
    mark_of_table,
    require_room,
    require_unread,
)
from mall_segments.project_sql import render_model
from mall_segments.publish.database import lock_errors
from mall_segments.publish.durable import written_aside
from mall_segments.settings import PROFILE_FEATURES, parse_gender_map
from mall_segments.sql_text import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMATS = {
    ".csv": "format csv, header",
    ".parquet": f"format parquet, compression zstd, kv_metadata {{generator: {literal(MARK)}}}",
}
# What is written of each customer, and of each row that is none.
SCORED = (
    *CUSTOMER_COLUMNS,
    "segment_key",
    "distance_to_centroid",
    "runner_up_segment_key",
    "runner_up_distance",
    "assignment_margin",
    "is_out_of_domain",
    "segment_name",
    "value_tier",
    "model_id",
)
REFUSED = ("line_number", "customer_id", "reasons")
# A file to score may be one customer; a source to fit on may not.
NO_MINIMUM: dict[str, object] = {"min_customers": 1, "min_distinct_points": 1}
WHOLE_NUMBERS = ("age", "spending_score")
# Beyond it the engine spills to disk.
MEMORY = "2GB"
FEATURE_SET = "select distinct feature from stored.ml.int_segment_model"


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
    output : CSV or Parquet file to write, one row per customer in the order of their ids; rows
        that are no customers go to a file beside it, named *.rejected.csv, which is taken away
        where there are none. What is there is replaced if it is a file of the same kind.
    settings : `column_aliases`, `gender_map` and the gates
    spill : folder for what does not fit into memory

    Raises
    ------
    InputRefusedError, NotBuiltError, SettingError, InUseError
    OutputFormatError, NoFolderError, SamePlaceError, NotOursError
        Before anything is written.
    """
    rejected_file = output.with_name(f"{output.stem}.rejected.csv")
    _require_room(output, rejected_file, [file, warehouse])
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
        counts = session.sql(
            "select segment_key, count(*), count(*) filter (is_out_of_domain) from scored"
            " group by segment_key order by segment_key"
        ).fetchall()
        refused = f"select {', '.join(REFUSED)} from parsed where reasons is not null"
        session.sql(refused).create_view("refused")
        rejected = len(session.table("refused"))
        if rejected:
            require_room(rejected_file, mark_of_table(REFUSED))
            _write(session, "refused", rejected_file, "line_number")
        elif is_ours(rejected_file, mark_of_table(REFUSED)):
            rejected_file.unlink()
        _write(session, "scored", output, "customer_id")
    return Scored(
        model_id=model_id,
        customers={key: customers for key, customers, _ in counts},
        out_of_domain=sum(outside for *_, outside in counts),
        rejected=rejected,
        rejected_file=rejected_file if rejected else None,
    )


def _require_room(output: Path, rejected_file: Path, reads: list[Path]) -> None:
    suffix = output.suffix.lower()
    if suffix not in FORMATS:
        raise OutputFormatError(output, FORMATS)
    if not output.parent.is_dir():
        raise NoFolderError(output.parent)
    require_unread(output, reads)
    require_unread(rejected_file, reads)
    require_room(output, mark_of_table(SCORED) if suffix == ".csv" else MARK)


def _attach(session: DuckDBPyConnection, warehouse: Path) -> None:
    if not warehouse.exists():
        raise NotBuiltError(f"There is no warehouse at {warehouse}.")
    try:
        with lock_errors(warehouse):
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
    written = {name: f"cast({name} as integer) as {name}" for name in WHOLE_NUMBERS}
    written["model_id"] = f"{literal(model.model_id)} as model_id"
    session.execute(
        f"create temp table scored as select {', '.join(written.get(n, n) for n in SCORED)}"
        " from assigned left join (select segment_key, segment_name, value_tier"
        " from stored.marts.segment_profiles) as profiles using (segment_key)"
    )
    return model.model_id


def _write(session: DuckDBPyConnection, relation: str, path: Path, key: str) -> None:
    with written_aside(path) as partial:
        session.execute(
            f"copy (select * from {relation} order by {key})"
            f" to {literal(str(partial))} ({FORMATS[path.suffix.lower()]})"
        )
