"""Why a customer is in its segment, as text."""

from __future__ import annotations

from pathlib import Path

import duckdb

from mall_segments.errors import MallSegmentsError, NotBuiltError
from mall_segments.publish.database import reading

CUSTOMER = """
    select
        segment_key,
        segment_name,
        value_tier,
        age,
        gender,
        annual_income_k_usd,
        spending_score,
        assignment_margin,
        assignment_probability,
        is_out_of_domain,
    from marts.customer_segments
    where customer_id = ?
"""
REASONS = """
    select contribution, squared_distance_difference, description
    from marts.assignment_reasons
    where customer_id = ?
    order by contribution desc, feature
"""
RULES = """
    select rule, rule_precision, rule_recall
    from marts.segment_rules
    where segment_key = ?
    order by rule_rank
    limit 1
"""


class UnknownCustomerError(MallSegmentsError):
    """A customer who is not among the accepted ones."""

    def __init__(self, customer_id: int) -> None:
        super().__init__(
            "UNKNOWN_CUSTOMER",
            f"There is no customer {customer_id} in marts.customer_segments.",
            "A refused row is in staging.stg_customers_rejected of the warehouse.",
        )


def explain_customer(database: Path, customer_id: int) -> str:
    """Return what a published file says of a customer.

    Raises
    ------
    NotBuiltError, UnknownCustomerError
    """
    try:
        with reading(database) as connection:
            customers = connection.execute(CUSTOMER, [customer_id]).fetchall()
            if not customers:
                raise UnknownCustomerError(customer_id)
            reasons = connection.execute(REASONS, [customer_id]).fetchall()
            rules = connection.execute(RULES, [customers[0][0]]).fetchall()
    except duckdb.Error as error:
        raise NotBuiltError(f"{database}: {str(error).splitlines()[0]}") from None
    key, name, tier, age, gender, income, score, margin, probability, outside = customers[0]
    lines = [
        f"Customer {customer_id} ({gender}, age {age}, {income:g} k$, spending score {score})",
        f"is in {key}, {name}; value {tier}.",
        "",
    ]
    if margin is not None:
        lines.append(f"Margin {margin:.2f} (0 on the border to the runner-up, 1 at the centroid).")
    if probability is not None:
        lines.append(f"{probability:.1%} of 200 bootstrap refits put the customer here.")
    if outside:
        lines.append("A value lies beyond the range that the model was fitted on.")
    lines += [f"  {contribution or 0:+8.3f}  {text}" for contribution, _, text in reasons]
    if reasons and reasons[0][1] is not None:
        total = reasons[0][1]
        lines.append(f"  {total:+8.3f}  sum: how much nearer, squared, than the runner-up.")
    lines += [
        f"\nAs a rule: {rule} (right for {precision:.0%}, finds {recall:.0%} of the segment)."
        for rule, precision, recall in rules
    ]
    return "\n".join(lines)
