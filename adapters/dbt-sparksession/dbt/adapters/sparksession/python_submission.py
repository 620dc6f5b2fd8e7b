"""Python models, run in the session."""

from __future__ import annotations

import linecache
import sys
from typing import Any

from dbt.adapters.base import PythonJobHelper
from dbt.adapters.sparksession.connections import thread_tag
from dbt.adapters.sparksession.credentials import SparkSessionCredentials
from dbt.adapters.sparksession.messages import python_failure
from dbt.adapters.sparksession.session import cancellable, session_for
from dbt_common.exceptions import DbtRuntimeError


class SessionPythonJobHelper(PythonJobHelper):
    """Runs a compiled model in this process and leaves its result as a view of the session.

    Only the model runs here. What it returns is lazy, and the materialization writes it by SQL, so
    that a Python model has the file format, partitions and options of a SQL model.
    """

    def __init__(self, parsed_model: dict[str, Any], credentials: SparkSessionCredentials) -> None:
        self._model = parsed_model
        self._credentials = credentials

    def submit(self, compiled_code: str) -> None:
        session = session_for(self._credentials)
        file = self._model["original_file_path"]
        # Tracebacks show its lines, wherever dbt was started.
        lines = compiled_code.splitlines(keepends=True)
        linecache.cache[file] = (len(compiled_code), None, lines, file)
        # Not the name of an importable module: functions of the model travel to executors by value.
        module: dict[str, Any] = {"__name__": f"dbt_python_model_{self._model['alias']}"}
        try:
            with cancellable(session, thread_tag()):
                exec(compile(compiled_code, file, "exec"), module)  # noqa: S102 - the user's model
                frame = module["model"](module["dbtObj"](session.table), session)
                to_spark(frame, session).createOrReplaceTempView(
                    result_view(self._model["schema"], self._model["alias"])
                )
        except Exception as error:
            raise DbtRuntimeError(f"Python model failed:\n{python_failure(error, file)}") from None


def result_view(schema: str | None, identifier: str | None) -> str:
    """Return the name of the view with the result of a Python model.

    Views of a session have no schema, and all models share the session.
    """
    return f"{schema}__{identifier}__dbt_python"


def to_spark(frame: Any, session: Any) -> Any:
    """Return what a model returned as a data frame of the session.

    Parameters
    ----------
    frame : Spark data frame, pandas data frame or Arrow table

    Raises
    ------
    TypeError
        If it is neither.
    """
    if hasattr(frame, "createOrReplaceTempView"):
        return frame
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(frame, pandas.DataFrame):
        import pyarrow

        # By Arrow: an empty frame keeps its types, and missing text stays missing.
        frame = pyarrow.Table.from_pandas(frame, preserve_index=False)
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(frame, arrow.Table):
        from pyspark.sql.pandas.types import from_arrow_schema

        table = _without_null_types(frame, arrow)
        # A Connect client does not take the types of an empty table from it.
        return session.createDataFrame(table, schema=from_arrow_schema(table.schema))
    raise TypeError(
        f"A Python model returns a Spark data frame, a pandas data frame or an Arrow table; "
        f"this one returned {type(frame).__module__}.{type(frame).__qualname__}."
    )


def _without_null_types(table: Any, arrow: Any) -> Any:
    """Make columns without any value text: files have no type for nothing."""
    fields = [
        field.with_type(arrow.string()) if arrow.types.is_null(field.type) else field
        for field in table.schema
    ]
    return table.cast(arrow.schema(fields))
