"""What is worth reading of an error of Spark."""

from __future__ import annotations

import re
import traceback

# From here on Spark repeats the statement, or tells of its insides.
ENDS = ("JVM stacktrace:", "Driver stacktrace:", "== SQL ==")
FRAME = re.compile(r"\s*(?:at [\w.$/<>-]+\(|\.\.\. \d+ more)")
SPARK = ("pyspark.", "py4j.")
SPARK_FILE = re.compile(r"[\\/](?:pyspark|py4j)[\\/]")
# The last line of a message, if the plan of the query follows.
BEFORE_PLAN = re.compile(r"SQLSTATE: \w{5}.*;$")


def short_message(error: BaseException) -> str:
    """Return the message of an error of Spark without frames of Java and plans of queries."""
    kept: list[str] = []
    for line in _text(error).splitlines():
        if line.startswith(ENDS):
            break
        if not FRAME.match(line):
            kept.append(line.rstrip())
        if BEFORE_PLAN.search(line):
            break
    return "\n".join(kept).strip() or type(error).__name__


def _text(error: BaseException) -> str:
    java = getattr(error, "java_exception", None)
    try:
        return str(error) if java is None else str(java.toString())
    except Exception:  # the Java process is gone
        return str(error)


def python_failure(error: Exception, file: str) -> str:
    """Return what went wrong in a Python model: its own lines, and those that they called.

    An error without a traceback is a message to the user: nothing else is said.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    frames = list(traceback.extract_tb(trace))
    if type(error).__module__.startswith(SPARK):
        frames = [frame for frame in frames if not SPARK_FILE.search(frame.filename)]
        message = f"{type(error).__name__}: {short_message(error)}"
    else:
        message = "".join(traceback.format_exception_only(error)).strip()
    heading = ["Traceback (most recent call last):\n"] if frames else []
    return "".join([*heading, *traceback.format_list(frames), message])
