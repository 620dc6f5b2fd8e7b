from __future__ import annotations

import pytest
from dbt.adapters.sparksession.messages import python_failure, short_message

ANALYSIS = """[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column `x` cannot be resolved.
SQLSTATE: 42703; line 1 pos 7;
'Project ['x]
+- Range (0, 1, step=1)
"""
PARSE = """
[PARSE_SYNTAX_ERROR] Syntax error at or near 'selec'. SQLSTATE: 42601 (line 1, pos 0)

== SQL ==
selec 1
^^^
"""
JOB = """An error occurred while calling o52.sql.
: org.apache.spark.SparkException: Job aborted.
\tat org.apache.spark.sql.X$.f(X.scala:1)
\t... 22 more
Driver stacktrace:
\tat org.apache.spark.Y.g(Y.scala:2)
"""


@pytest.mark.parametrize(
    ("text", "short"),
    [
        (ANALYSIS, "\n".join(ANALYSIS.splitlines()[:2])),
        (PARSE, PARSE.splitlines()[1]),
        (JOB, "\n".join(JOB.splitlines()[:2])),
        ("Division by zero\nOn the second line", "Division by zero\nOn the second line"),
        ("", "RuntimeError"),
    ],
)
def test_a_message_ends_where_spark_tells_of_itself(text: str, short: str) -> None:
    assert short_message(RuntimeError(text)) == short


class QuietError(Exception):
    """An error that is a message, as libraries raise it for their users."""

    @property
    def __traceback__(self) -> None:
        return None

    @__traceback__.setter
    def __traceback__(self, value: object) -> None: ...


def test_an_error_without_traceback_is_its_message_alone() -> None:
    with pytest.raises(QuietError) as raised:
        raise QuietError("What to do.")
    assert python_failure(raised.value, "model.py").endswith("QuietError: What to do.")
    assert "Traceback" not in python_failure(raised.value, "model.py")


def test_a_traceback_begins_in_the_model() -> None:
    module: dict[str, object] = {}
    exec(compile("def model():\n    return 1 / 0\n", "models/m.py", "exec"), module)
    with pytest.raises(ZeroDivisionError) as raised:
        module["model"]()  # type: ignore[operator]
    failure = python_failure(raised.value, "models/m.py")
    assert 'File "models/m.py", line 2, in model' in failure
    assert "test_messages" not in failure
    assert failure.endswith("ZeroDivisionError: division by zero")
