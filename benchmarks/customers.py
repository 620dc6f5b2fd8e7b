"""Generated customers: five normal clusters, each row made from the hash of its number.

`python benchmarks/customers.py integer-3 1000000 customers.duckdb` writes the table `customers`
with a key, the features and `component`, the cluster that a row was drawn from.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import NamedTuple

import duckdb


class Feature(NamedTuple):
    """A feature with the range it is clamped to, as scores and ages are."""

    name: str
    lowest: int
    highest: int


class Component(NamedTuple):
    """A cluster: its share, what its features have in common, and (mean, sd) for each feature."""

    share: float
    loading: float
    features: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Customers:
    """A kind of customers: how their features are rounded, and how many features they have."""

    rounding: str
    dimensions: int

    @classmethod
    def named(cls, name: str) -> Customers:
        """Read a name such as `integer-3`."""
        rounding, _, dimensions = name.partition("-")
        return cls(rounding, int(dimensions))

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features, the best known first."""
        return FEATURES[: self.dimensions]


ROUNDINGS = {
    "integer": "round({value})::integer",
    "cents": "round({value}, 2)",
    "continuous": "{value}",
}
FEATURES = (
    Feature("annual_income_k_usd", 15, 250),
    Feature("spending_score", 1, 100),
    Feature("age", 18, 90),
    Feature("visits_per_year", 0, 120),
    Feature("basket_usd", 5, 400),
    Feature("days_since_visit", 0, 365),
)
# Unequal in size and spread, correlated within, and near enough to each other to overlap.
COMPONENTS = (
    Component(0.38, 0.5, ((70, 15), (50, 9), (43, 12), (24, 8), (60, 15), (45, 20))),
    Component(0.22, 0.3, ((140, 24), (80, 8), (33, 7), (50, 14), (140, 35), (15, 8))),
    Component(0.18, 0.6, ((150, 28), (22, 9), (45, 10), (8, 4), (110, 30), (120, 40))),
    Component(0.13, 0.4, ((32, 8), (20, 9), (55, 11), (10, 5), (30, 10), (150, 50))),
    Component(0.09, 0.7, ((34, 9), (78, 9), (25, 5), (60, 18), (45, 14), (10, 6))),
)


# Numbers that one row may draw.
SALTS = 16


def customers_sql(customers: Customers, rows: int) -> str:
    """Return the query that makes the customers.

    Normal numbers come in pairs by the Box-Muller transform from uniform ones; the first is what
    all features of a customer have in common.
    """
    # As many pairs as one common and one own number per feature need.
    pairs = range(customers.dimensions // 2 + 1)
    normals = ",\n".join(
        f"sqrt(-2 * ln({uniform(2 * pair + 1)})) * {function}(2 * pi() * {uniform(2 * pair + 2)})"
        f" as normal_{2 * pair + offset}"
        for pair in pairs
        for offset, function in enumerate(("cos", "sin"))
    )
    features = ",\n".join(
        f"{rounded(customers, feature, place)} as {feature.name}"
        for place, feature in enumerate(customers.features, 1)
    )
    return f"""
        with components(component, loading, {component_columns(customers)}) as (
            values {", ".join(component_values(customers))}
        ),
        normals as (
            select i, {choice(uniform(0))} as component, {normals}
            from range({rows}) as numbers(i)
        )
        select i + 1 as customer_id, {features}, component
        from normals
        inner join components using (component)
    """


def uniform(salt: int) -> str:
    """Return the SQL of a number in (0, 1] made from the row's; `hash(i, salt)` correlates."""
    return f"((hash(i * {SALTS} + {salt}) + 1.0::double) / 18446744073709551616.0::double)"


def choice(number: str) -> str:
    """Return the SQL of the component that a uniform number falls into."""
    branches = []
    upper = 0.0
    for place, component in enumerate(COMPONENTS[:-1], 1):
        upper += component.share
        branches.append(f"when {number} < {upper} then {place}")
    return f"case {' '.join(branches)} else {len(COMPONENTS)} end"


def component_columns(customers: Customers) -> str:
    """Return the names of the columns of the components."""
    places = range(1, customers.dimensions + 1)
    return ", ".join(f"mean_{place}, sd_{place}" for place in places)


def component_values(customers: Customers) -> list[str]:
    """Return the SQL of the rows of the components."""
    rows = []
    for place, component in enumerate(COMPONENTS, 1):
        numbers = [number for pair in component.features[: customers.dimensions] for number in pair]
        rows.append(f"({', '.join(map(str, [place, component.loading, *numbers]))})")
    return rows


def rounded(customers: Customers, feature: Feature, place: int) -> str:
    """Return the SQL of a feature of a customer; every other one falls with what they share."""
    sign = "+" if place % 2 else "-"
    noise = f"sqrt(1 - loading * loading) * normal_{place} {sign} loading * normal_0"
    value = f"greatest(mean_{place} + sd_{place} * ({noise}), {feature.lowest})"
    value = f"least({value}, {feature.highest})"
    return ROUNDINGS[customers.rounding].format(value=value)


def write(customers: Customers, rows: int, path: str) -> None:
    """Write the table to a new DuckDB file."""
    with duckdb.connect(path) as connection:
        connection.execute(f"create table customers as {customers_sql(customers, rows)}")


if __name__ == "__main__":
    name, rows, path = sys.argv[1:]
    write(Customers.named(name), int(rows), path)
