"""What is expected of the warehouse beyond what dbt tests: plausible, apart, and as before.

dbt tests keys, contracts and logic inside the build, where one wrong row is a defect. These
expectations look at whole distributions, where a value may be unusual without being wrong.
"""

from __future__ import annotations

from typing import Any

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from mall_segments.intake.header import FIELDS
from mall_segments.stability import STABLE_JACCARD

# Kullback-Leibler divergence in nats: 0.1 is where practice begins to call a shift notable.
LARGEST_DIVERGENCE = 0.1
# A value outside the range of the baseline, or in an empty bin, must not make it infinite.
HOLDOUT = 0.01
# Below 0.25 there is no substantial structure (Kaufman and Rousseeuw 1990, Finding Groups in Data).
LOWEST_SILHOUETTE = 0.25

Suites = dict[str, list[Expectation]]


def suites(baseline: dict[str, Any], smallest_share: float) -> Suites:
    """Return the expectations of each relation, drift from the baseline among them."""
    return {
        "raw.raw_customers": [
            gxe.ExpectColumnValuesToMatchRegex(column=field, regex=r"\S", mostly=0.95)
            for field in FIELDS
        ]
        + [gxe.ExpectColumnValuesToNotBeNull(column=field, mostly=0.95) for field in FIELDS],
        "staging.stg_customers": _accepted_customers() + _drift(baseline["partitions"]),
        "marts.customer_segments": [
            gxe.ExpectColumnValuesToBeBetween(
                column="assignment_margin", min_value=0.02, mostly=0.9
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="distance_to_centroid", max_value=3, mostly=0.99
            ),
            gxe.ExpectColumnValuesToBeInSet(
                column="is_out_of_domain", value_set=[False], mostly=0.99
            ),
        ],
        "marts.segment_profiles": [
            gxe.ExpectTableRowCountToBeBetween(min_value=2, max_value=12),
            gxe.ExpectColumnValuesToBeBetween(column="customer_share", min_value=smallest_share),
        ],
        "marts.segmentation_quality": [
            gxe.ExpectColumnValuesToBeBetween(column="silhouette", min_value=LOWEST_SILHOUETTE),
            gxe.ExpectColumnValuesToBeBetween(column="stability_jaccard", min_value=STABLE_JACCARD),
        ],
    }


def _accepted_customers() -> list[Expectation]:
    return [
        gxe.ExpectColumnValuesToBeBetween(column="age", min_value=16, max_value=100, mostly=0.99),
        gxe.ExpectColumnMeanToBeBetween(column="age", min_value=18, max_value=80),
        gxe.ExpectColumnMeanToBeBetween(column="spending_score", min_value=10, max_value=90),
        gxe.ExpectColumnStdevToBeBetween(column="spending_score", min_value=5),
        gxe.ExpectColumnMedianToBeBetween(column="annual_income_k_usd", min_value=5, max_value=500),
        gxe.ExpectColumnValuesToBeInSet(
            column="gender", value_set=["Female", "Male", "Other"], mostly=0.75
        ),
    ]


def _drift(partitions: dict[str, Any]) -> list[Expectation]:
    return [
        gxe.ExpectColumnKLDivergenceToBeLessThan(
            column=column,
            partition_object=partition,
            threshold=LARGEST_DIVERGENCE,
            tail_weight_holdout=HOLDOUT if "bins" in partition else 0,
            internal_weight_holdout=HOLDOUT if "bins" in partition else 0,
        )
        for column, partition in partitions.items()
    ]
