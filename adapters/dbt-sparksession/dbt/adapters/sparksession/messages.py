"""What is worth reading of an error of Spark."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator

# Where the message ends and the insides of Spark begin.
ENDS = re.compile(r"\n+(?:JVM stacktrace:|Driver stacktrace:|== SQL|'?[A-Z]\w+ )|\n\s*'?\+- ")
FRAMES = re.compile(r"^\s*(?:at [\w.$]+[(/]|\.\.\. \d+ more)")
CAUSE = "Caused by: "


def short_message(error: BaseException) -> str:
    """Return the message of an error of Spark without Java frames and query plans."""
    return "\n".join(_lines(_text(error))).strip() or type(error).__name__


def _text(error: BaseException) -> str:
    java = getattr(error, "java_exception", None)
    if java is not None:
        try:
            return str(java.toString())
        except Exception:
            return str(error)
    return str(error)


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith(("JVM stacktrace:", "Driver stacktrace:")):
            return
        if not FRAMES.match(line):
            yield line.rstrip()


def python_failure(error: BaseException, file: str) -> str:
    """Return what went wrong in a Python model, from the first line of the model on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    lines = traceback.format_exception(type(error), error, trace or error.__traceback__)
    return "".join(lines).strip()
