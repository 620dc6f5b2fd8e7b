import numpy as np
import pytest

from mall_segments.errors import TooFewPointsError
from mall_segments.segment_candidates import evaluate_candidates
from mall_segments.weighted_points import WeightedPoints

from .conftest import AGE_INCOME_SCORE, INCOME_SCORE

FEW = {("age",): WeightedPoints.from_rows(np.array([[0.0], [1.0], [9.0]]))}


def test_the_mall_customers_are_five_segments_by_income_and_score(mall_points):
    points = {features: mall_points(features) for features in (INCOME_SCORE, AGE_INCOME_SCORE)}
    candidates = evaluate_candidates(points, INCOME_SCORE, k=None, k_max=7)
    assert [(each.feature_set, each.criteria.k) for each in candidates if each.is_selected] == [
        ("annual_income_k_usd, spending_score", 5)
    ]
    assert len(candidates) == 14
    assert sum(each.is_elbow for each in candidates) == 2


def test_a_forced_k_beyond_the_panel_extends_it(mall_points):
    candidates = evaluate_candidates({INCOME_SCORE: mall_points()}, INCOME_SCORE, k=4, k_max=2)
    assert [each.criteria.k for each in candidates] == [1, 2, 3, 4]
    assert [each.is_selected for each in candidates] == [False, False, False, True]


def test_the_panel_ends_at_the_number_of_points():
    candidates = evaluate_candidates(FEW, ("age",), k=None, k_max=10)
    assert [each.criteria.k for each in candidates] == [1, 2, 3]


def test_a_forced_k_beyond_the_points_is_refused():
    with pytest.raises(TooFewPointsError):
        evaluate_candidates(FEW, ("age",), k=4, k_max=10)
