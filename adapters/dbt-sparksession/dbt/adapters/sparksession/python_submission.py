"""Python models, run in the session."""

from __future__ import annotations

from typing import Any

from dbt.adapters.base import PythonJobHelper
from dbt.adapters.sparksession.messages import python_failure
from dbt.adapters.sparksession.session import session_for
from dbt_common.exceptions import DbtRuntimeError


class SessionPythonJobHelper(PythonJobHelper):
    """Runs the compiled model in this process and leaves its result as a temporary view."""

    def __init__(self, parsed_model: dict[str, Any], credentials: Any) -> None:
        self._model = parsed_model
        self._credentials = credentials

    def submit(self, compiled_code: str) -> None:
        session = session_for(self._credentials)
        file = self._model["original_file_path"]
        module: dict[str, Any] = {"__name__": f"dbt_model_{self._model['alias']}"}
        try:
            exec(compile(compiled_code, file, "exec"), module)
            frame = module["model"](module["dbtObj"](session.table), session)
        except Exception as error:
            raise DbtRuntimeError(f"Python model failed:\n{python_failure(error, file)}") from None
        to_spark(frame, session).createOrReplaceTempView(
            result_view(self._model["schema"], self._model["alias"])
        )


def result_view(schema: str, identifier: str) -> str:
    """Return the name of the temporary view that holds the result of a Python model."""
    return f"{schema}__{identifier}__dbt_python"


def to_spark(frame: Any, session: Any) -> Any:
    """Return what a model returned as a Spark data frame."""
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        return session.createDataFrame(frame)
    return frame
