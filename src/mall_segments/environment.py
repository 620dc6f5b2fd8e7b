"""The environment variables of the project, checked before anything begins."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from mall_segments.errors import MallSegmentsError, UnknownNameError, nearest

MEMORY_LIMIT = "MALL_SEGMENTS_MEMORY_LIMIT"
DATABASE = "MALL_SEGMENTS_DATABASE"
WAREHOUSE = "MALL_SEGMENTS_WAREHOUSE"
PUBLISHED = "MALL_SEGMENTS_PUBLISHED"
CANDIDATE = "MALL_SEGMENTS_CANDIDATE"
PREFIX = "MALL_SEGMENTS_"


class EnvironmentVariableError(MallSegmentsError):
    """An environment variable with a value that means nothing."""

    def __init__(self, name: str, found: str, expected: str) -> None:
        super().__init__(
            "INVALID_SETTING",
            f"The environment variable {name} is {found!r}, expected {expected}.",
            "Correct it, or leave it empty for the default.",
        )


def environment_variable(name: str, default: str) -> str:
    """Return an environment variable; one that is empty is as one that is not set."""
    return os.environ.get(name) or default


def check_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse variables of ours whose value means nothing, and names that look like misspelt ones.

    Raises
    ------
    EnvironmentVariableError, UnknownNameError
    """
    for name, value in environment.items():
        if name in EXPECTED:
            expected, is_met = EXPECTED[name]
            if value and not is_met(value):
                raise EnvironmentVariableError(name, value, expected)
        elif name.startswith(PREFIX) and _is_misspelt(name.removeprefix(PREFIX)):
            raise UnknownNameError("environment variable", name, list(EXPECTED))


def _is_misspelt(rest: str) -> bool:
    """Whether a name is meant to be one of ours; orchestrators set others with this prefix."""
    known = [name.removeprefix(PREFIX) for name in EXPECTED]
    return rest not in OTHERS and nearest(rest, known) is not None


def _is_size(value: str) -> bool:
    """Whether DuckDB can work with so much memory."""
    import duckdb

    try:
        duckdb.connect(config={"memory_limit": value}).close()
    except duckdb.Error:
        return False
    return True


def _is_file(value: str) -> bool:
    return value == value.strip() and not Path(value).is_dir()


def _is_file_to_open(value: str) -> bool:
    """Whether DuckDB can make the file; what has a colon is no file, such as :memory:."""
    return ":" in value or (_is_file(value) and Path(value).parent.is_dir())


FILE = "the path of a DuckDB file"
# What each must be. dbt's adapter says what is wrong with where Spark is.
EXPECTED: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    MEMORY_LIMIT: ("a size such as 4GB or 512MB", _is_size),
    DATABASE: (f"{FILE} in a folder that is there", _is_file_to_open),
    WAREHOUSE: (FILE, _is_file),
    PUBLISHED: (FILE, _is_file),
    CANDIDATE: (FILE, _is_file),
    "MALL_SEGMENTS_SPARK_MASTER": ("a master of Spark", bool),
    "MALL_SEGMENTS_SPARK_REMOTE": ("a Spark Connect server", bool),
}
# Of the tests.
OTHERS = ("KILL_AT", "BROWSER")
