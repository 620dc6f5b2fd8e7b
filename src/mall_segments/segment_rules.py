"""Segments as rules that a person can read, from a shallow decision tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from mall_segments.lloyd import Floats, Integers

DEEPEST = 4
LEAVES_PER_SEGMENT = 2


@dataclass(frozen=True)
class Rule:
    """One way to recognise a segment.

    Attributes
    ----------
    segment : number of the segment
    conditions : what holds for those whom the rule finds, in words
    customers : customers it finds
    precision : share of them that are in the segment
    recall : share of the segment that it finds
    """

    segment: int
    conditions: str
    customers: int
    precision: float
    recall: float


def fit_rules(
    values: Floats, weights: Floats, labels: Integers, features: Sequence[str]
) -> list[Rule]:
    """Return the leaves of a shallow decision tree as rules, the widest of each segment first.

    Parameters
    ----------
    values : (m, d) array
        Points in the units of the features.
    weights : (m,) array
        Customers on each point.
    labels : (m,) array
        Segment number of each point.
    features : d names

    Examples
    --------
    >>> values = np.array([[20.0], [30.0], [60.0], [70.0]])
    >>> for rule in fit_rules(values, np.ones(4), np.array([0, 0, 1, 1]), ["age"]):
    ...     print(rule.segment, rule.conditions, rule.precision, rule.recall)
    0 age at most 45 1.0 1.0
    1 age above 45 1.0 1.0
    """
    segments = len(np.unique(labels))
    tree = DecisionTreeClassifier(
        max_depth=DEEPEST, max_leaf_nodes=max(LEAVES_PER_SEGMENT * segments, 2), random_state=0
    ).fit(values, labels, sample_weight=weights)
    leaf_of_point = tree.apply(values)
    sizes = {int(one): float(weights[labels == one].sum()) for one in np.unique(labels)}
    rules = []
    for leaf, conditions in _leaves(tree, features):
        inside = leaf_of_point == leaf
        found = {one: float(weights[inside & (labels == one)].sum()) for one in sizes}
        segment = max(found, key=lambda one: (found[one], -one))
        covered = sum(found.values())
        rules.append(
            Rule(
                segment=segment,
                conditions=conditions,
                customers=int(covered),
                precision=found[segment] / covered,
                recall=found[segment] / sizes[segment],
            )
        )
    return sorted(rules, key=lambda rule: (rule.segment, -rule.recall, rule.conditions))


def _leaves(tree: DecisionTreeClassifier, features: Sequence[str]) -> list[tuple[int, str]]:
    """Return each leaf with the bounds that lead to it."""
    nodes = tree.tree_
    found = []

    def walk(node: int, bounds: dict[int, tuple[float, float]]) -> None:
        if nodes.children_left[node] < 0:
            found.append((node, _in_words(bounds, features)))
            return
        feature, threshold = int(nodes.feature[node]), float(nodes.threshold[node])
        low, high = bounds.get(feature, (-np.inf, np.inf))
        walk(nodes.children_left[node], {**bounds, feature: (low, min(high, threshold))})
        walk(nodes.children_right[node], {**bounds, feature: (max(low, threshold), high)})

    walk(0, {})
    return found


def _in_words(bounds: dict[int, tuple[float, float]], features: Sequence[str]) -> str:
    words = []
    for feature, (low, high) in sorted(bounds.items()):
        name = features[feature]
        if np.isinf(low):
            words.append(f"{name} at most {high:g}")
        elif np.isinf(high):
            words.append(f"{name} above {low:g}")
        else:
            words.append(f"{name} above {low:g} and at most {high:g}")
    return ", ".join(words) or "everybody"
