"""The engines that the models run on: DuckDB as it is, Spark behind the same few operations.

The models speak to the relations of DuckDB's Python API: `project`, `aggregate`, `filter`, `order`
and so on, with SQL that every engine reads. On another engine `on_any_engine` puts relations of the
same interface in the place of its frames, and takes the frame out of what a model returns.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any


def on_any_engine(model: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of a session and relations take those of Spark as well."""

    @wraps(model)
    def run(*arguments: Any, **named: Any) -> Any:
        if not any(map(is_of_spark, (*arguments, *named.values()))):
            return model(*arguments, **named)
        from mall_segments.spark_engine import SparkRelation, wrapped

        result = model(
            *map(wrapped, arguments), **{key: wrapped(one) for key, one in named.items()}
        )
        return result.frame if isinstance(result, SparkRelation) else result

    return run


def is_of_spark(value: object) -> bool:
    """Tell a session or a data frame of Spark; nothing of Spark is imported for it."""
    return type(value).__module__.startswith("pyspark.")


def missing_table_errors() -> tuple[type[Exception], ...]:
    """Return what the engines in use raise where there is no table of a name."""
    import duckdb

    if "pyspark" not in sys.modules:
        return (duckdb.CatalogException,)
    from pyspark.errors import AnalysisException

    return (duckdb.CatalogException, AnalysisException)
