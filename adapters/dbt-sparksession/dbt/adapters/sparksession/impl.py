"""The adapter: dbt-spark with Python models in the session."""

from __future__ import annotations

from dbt.adapters.base import PythonJobHelper, available
from dbt.adapters.base.relation import BaseRelation
from dbt.adapters.spark.impl import SparkAdapter
from dbt.adapters.sparksession.connections import SparkSessionConnectionManager
from dbt.adapters.sparksession.python_submission import SessionPythonJobHelper, result_view


class SparkSessionAdapter(SparkAdapter):
    """dbt-spark's adapter on a session of this process."""

    ConnectionManager = SparkSessionConnectionManager

    @property
    def default_python_submission_method(self) -> str:
        return "session"

    @property
    def python_submission_helpers(self) -> dict[str, type[PythonJobHelper]]:
        return {"session": SessionPythonJobHelper}

    @available
    def python_result(self, relation: BaseRelation) -> str:
        """Return the temporary view with the result of the Python model of a relation."""
        return result_view(relation.schema, relation.identifier)
