"""Assignment of customers to segments as SQL arithmetic on the centroids.

The centroids become constants of a few column expressions, so the engine assigns every customer in
one pass over the table and no customer travels through Python. The expressions are plain SQL
(`case`, `least`, `sqrt`, `cast`), the same on every engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mall_segments.lloyd import Floats
from mall_segments.sql_text import double

CUSTOMER_COLUMNS = ("customer_id", "gender", "age", "annual_income_k_usd", "spending_score")


@dataclass(frozen=True)
class Scaling:
    """Standardisation of one feature, with the range it was computed on (all in its own unit).

    `scale` is the population standard deviation, or 1 for a constant feature, as in scikit-learn's
    StandardScaler.
    """

    feature: str
    mean: float
    scale: float
    minimum: float
    maximum: float


def assignment_steps(
    scaling: Sequence[Scaling],
    centroids: Floats,
    keys: Sequence[str],
    columns: Sequence[str] = CUSTOMER_COLUMNS,
) -> list[list[str]]:
    """Return select lists that, applied one after the other, assign each customer.

    Parameters
    ----------
    scaling : sequence of Scaling
        The d segmentation features, in the order of the centroid columns.
    centroids : (k, d) array
        Scaled centroids.
    keys : sequence of k str
        Segment key of each centroid.
    columns : sequence of str
        What to keep of the customers.

    Returns
    -------
    list of select lists
        The last one yields these columns as they are, `segment_key`, `distance_to_centroid`,
        `runner_up_segment_key`, `runner_up_distance`, `assignment_margin` (0 on the border, 1 at
        the centroid) and `is_out_of_domain`. Distances are in standard deviations; with one
        segment there is no runner-up and its columns are null. A tie goes to the first segment.

    Examples
    --------
    >>> scaling = [Scaling("age", 40.0, 10.0, 18.0, 70.0)]
    >>> steps = assignment_steps(scaling, np.array([[0.5]]), ["S1"])
    >>> steps[0][5]
    "(age - cast('40.0' as double)) / cast('10.0' as double) as scaled_0"
    """
    segments = range(len(centroids))
    out_of_domain = " or ".join(
        f"{one.feature} < {double(one.minimum)} or {one.feature} > {double(one.maximum)}"
        for one in scaling
    )
    scaled = [
        f"({one.feature} - {double(one.mean)}) / {double(one.scale)} as scaled_{index}"
        for index, one in enumerate(scaling)
    ]
    squared = [f"{_squared_distance(centroids[number])} as squared_{number}" for number in segments]
    nearest = _number_of_smallest([f"squared_{number}" for number in segments])
    others = [
        f"case when nearest = {number} then null else squared_{number} end" for number in segments
    ]
    runner_up = _number_of_smallest([f"other_{number}" for number in segments])
    margin = (
        "1 - case when runner_up_distance > 0 then distance_to_centroid / runner_up_distance end"
    )
    kept = [*columns, "is_out_of_domain"]
    return [
        [*columns, *scaled, f"({out_of_domain}) as is_out_of_domain"],
        [*kept, *squared],
        [*kept, *(f"squared_{number}" for number in segments), f"{nearest} as nearest"],
        [
            *kept,
            "nearest",
            f"sqrt({_least([f'squared_{number}' for number in segments])}) as distance_to_centroid",
            *(f"{other} as other_{number}" for number, other in enumerate(others)),
        ],
        [
            *kept,
            "distance_to_centroid",
            f"{_key_of('nearest', keys)} as segment_key",
            f"{_key_of(f'({runner_up})', keys)} as runner_up_segment_key",
            f"sqrt({_least([f'other_{number}' for number in segments])}) as runner_up_distance",
        ],
        [
            *columns,
            "segment_key",
            "distance_to_centroid",
            "runner_up_segment_key",
            "runner_up_distance",
            f"{margin} as assignment_margin",
            "is_out_of_domain",
        ],
    ]


def _squared_distance(centroid: Floats) -> str:
    differences = [f"(scaled_{index} - {double(value)})" for index, value in enumerate(centroid)]
    return " + ".join(f"{difference} * {difference}" for difference in differences)


def _least(columns: Sequence[str]) -> str:
    return f"least({', '.join(columns)})" if len(columns) > 1 else columns[0]


def _number_of_smallest(columns: Sequence[str]) -> str:
    smallest = _least(columns)
    branches = " ".join(
        f"when {column} = {smallest} then {number}" for number, column in enumerate(columns)
    )
    return f"case {branches} end"


def _key_of(number: str, keys: Sequence[str]) -> str:
    branches = " ".join(f"when {index} then '{key}'" for index, key in enumerate(keys))
    return f"case {number} {branches} end"
