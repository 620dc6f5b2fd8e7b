import numpy as np
import pytest

from mall_segments.segment_rules import fit_rules


def test_rules_find_separate_groups_and_say_how_well(blobs):
    labels = np.repeat([0, 1, 2], 100)
    rules = fit_rules(blobs, np.ones(300), labels, ["x", "y"])
    assert [rule.segment for rule in rules] == [0, 1, 2]
    assert all(rule.precision == rule.recall == 1 for rule in rules)
    assert sum(rule.customers for rule in rules) == 300
    assert all(" at most " in rule.conditions for rule in rules if rule.segment == 0)


def test_precision_and_recall_count_customers_not_points():
    values = np.array([[1.0], [2.0], [3.0]])
    labels = np.array([0, 1, 1])
    rules = fit_rules(values, np.array([10.0, 1.0, 5.0]), labels, ["x"])
    assert sum(rule.customers for rule in rules) == 16
    found = {rule.segment: rule for rule in rules}
    assert found[0].precision == pytest.approx(1)
    assert sum(rule.recall for rule in rules if rule.segment == 1) == pytest.approx(1)


def test_one_segment_is_everybody():
    (rule,) = fit_rules(np.array([[1.0], [2.0]]), np.ones(2), np.zeros(2, dtype=int), ["x"])
    assert (rule.conditions, rule.precision, rule.recall) == ("everybody", 1, 1)
