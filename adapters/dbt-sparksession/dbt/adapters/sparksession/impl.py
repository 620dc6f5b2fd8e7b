"""The adapter: dbt-spark with Python models in the session."""

from __future__ import annotations

from typing import Any

from dbt.adapters.base import PythonJobHelper, available
from dbt.adapters.base.relation import BaseRelation
from dbt.adapters.spark.impl import SparkAdapter
from dbt.adapters.sparksession.connections import SparkSessionConnectionManager, literal
from dbt.adapters.sparksession.python_submission import SessionPythonJobHelper, result_view
from dbt.adapters.sparksession.session import delete_location, is_spark

# A table that is about to be replaced waits under its name with this until its successor is there.
BACKUP_SUFFIX = "__dbt_backup"


class SparkSessionAdapter(SparkAdapter):
    """dbt-spark's adapter on a session of this process."""

    ConnectionManager = SparkSessionConnectionManager
    _checked: tuple[Any, bool] | None = None

    @property
    def default_python_submission_method(self) -> str:
        return "session"

    @property
    def python_submission_helpers(self) -> dict[str, type[PythonJobHelper]]:
        return {"session": SessionPythonJobHelper}

    def get_relation(self, database: str, schema: str, identifier: str) -> BaseRelation | None:
        found = super().get_relation(database, schema, identifier)
        if found is None and not identifier.endswith(BACKUP_SUFFIX):
            backup = super().get_relation(database, schema, identifier + BACKUP_SUFFIX)
            if backup is not None:
                # A build was killed while it exchanged the two.
                found = backup.incorporate(path={"identifier": identifier})
                self.rename_relation(backup, found)
        return found

    @available
    def backup_suffix(self) -> str:
        """Return what the name of a table that is about to be replaced ends with."""
        return BACKUP_SUFFIX

    @available
    def python_result(self, relation: BaseRelation) -> str:
        """Return the view of the session with the result of a Python model."""
        return result_view(relation.schema, relation.identifier)

    @available.parse_none
    def drop_view_of_session(self, name: str) -> None:
        """Drop a view of the session, and with it the rows that a model brought from Python."""
        self._session.sql(f"drop view if exists {name}")

    @available
    def literal(self, value: Any) -> str:
        """Return a value as Spark SQL writes it."""
        return literal(value)

    @available.parse(lambda *_, **__: True)
    def is_spark(self) -> bool:
        """Return whether the server is Spark itself; Sail speaks like it."""
        session = self._session
        if self._checked is None or self._checked[0] is not session:
            self._checked = session, is_spark(session)
        return self._checked[1]

    @available.parse_none
    def clear_location(self, relation: BaseRelation) -> None:
        """Delete what a killed build left where a table without an entry in the catalog will be."""
        delete_location(self._session, relation.schema, relation.identifier)

    @property
    def _session(self) -> Any:
        return self.connections.get_thread_connection().handle.session
