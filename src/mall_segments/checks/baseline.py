"""The stored distribution of the customers that later ones are compared with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from mall_segments.errors import MallSegmentsError
from mall_segments.outputs import require_room
from mall_segments.publish.database import reading
from mall_segments.publish.durable import write_text
from mall_segments.settings import GENDERS, PROFILE_FEATURES

if TYPE_CHECKING:
    import pandas as pd

BINS = 10
SMALLEST_SHARE = 0.005
REGISTER = "ml.customer_baselines"


class BaselineError(MallSegmentsError):
    """A baseline file that cannot be read."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            "BASELINE_NOT_READABLE",
            f"The baseline {path} cannot be read: {problem}.",
            "Write it anew from the last build: mall-segments check --update-baseline.",
        )


def measure(customers: pd.DataFrame) -> dict[str, Any]:
    """Return the distribution of the features and of gender.

    Parameters
    ----------
    customers : data frame of `stg_customers`

    Returns
    -------
    dict
        `customers`, and per feature the edges of at most BINS bins of about equal share with their
        weights; for gender its values with their weights, none below SMALLEST_SHARE, so that the
        first customer of a rare gender is no drift. Weights sum to 1.
    """
    partitions: dict[str, Any] = {
        feature: _bins(customers[feature]) for feature in PROFILE_FEATURES
    }
    partitions["gender"] = _shares(customers["gender"])
    return {"customers": len(customers), "partitions": partitions}


def load(path: Path) -> dict[str, Any]:
    """Return a stored baseline, or raise BaselineError."""
    try:
        baseline = json.loads(path.read_text(encoding="utf-8"))
        if set(baseline["partitions"]) != {*PROFILE_FEATURES, "gender"}:
            raise BaselineError(path, "it does not cover every feature")
    except OSError as error:
        raise BaselineError(path, str(error.strerror)) from None
    except (ValueError, KeyError, TypeError):
        raise BaselineError(path, "it is not a baseline") from None
    return dict(baseline)


def store(path: Path, baseline: dict[str, Any]) -> None:
    """Write a baseline as text that a reviewer can compare with the one before.

    Raises
    ------
    NotOursError
    """
    require_room(path, '"partitions"')
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(baseline, indent=2) + "\n")


def registered(database: Path) -> dict[str, Any] | None:
    """Return the baseline that a warehouse has registered last; None if it has none."""
    try:
        with reading(database) as connection:
            rows = connection.sql(
                f"select baseline from {REGISTER} order by registered_at desc limit 1"
            ).fetchall()
    except (duckdb.CatalogException, duckdb.IOException):
        return None
    return json.loads(rows[0][0]) if rows else None


def register(database: Path, build_id: str, baseline: dict[str, Any]) -> None:
    """Append a baseline to the register of a warehouse; those before it stay as its history."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            f"create table if not exists {REGISTER}"
            " (build_id varchar, registered_at timestamptz, baseline varchar)"
        )
        connection.execute(
            f"insert into {REGISTER} values (?, now(), ?)", [build_id, json.dumps(baseline)]
        )


def _bins(values: pd.Series) -> dict[str, list[float]]:
    import numpy as np

    quantiles = np.quantile(values, np.linspace(0, 1, BINS + 1))
    edges = np.unique(quantiles.round(6))
    if len(edges) == 1:
        edges = np.array([edges[0] - 0.5, edges[0] + 0.5])
    counts, _ = np.histogram(values, edges)
    return {"bins": edges.tolist(), "weights": (counts / counts.sum()).tolist()}


def _shares(genders: pd.Series) -> dict[str, list[Any]]:
    weights = [max(float((genders == gender).mean()), SMALLEST_SHARE) for gender in GENDERS]
    return {"values": list(GENDERS), "weights": [weight / sum(weights) for weight in weights]}
