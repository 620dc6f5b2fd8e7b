import pytest

from mall_segments.k_choice import (
    Criteria,
    choose_k,
    elbow,
    explain_choice,
    explain_comparison,
)


def row(k, silhouette, weakest, wcss=None, smallest=1.0):
    return Criteria(
        k=k,
        wcss=100.0 / k if wcss is None else wcss,
        silhouette=silhouette,
        silhouette_standard_error=None if silhouette is None else 0.0,
        calinski_harabasz=None,
        davies_bouldin=None,
        gap=None,
        gap_standard_error=None,
        stability_jaccard=weakest,
        weakest_segment_jaccard=weakest,
        restarts=1,
        restarts_at_best=1,
        smallest_segment_share=smallest,
    )


ONE = row(1, None, 1.0)


def test_the_elbow_lies_furthest_below_the_line():
    assert elbow([400, 269.02, 157.70, 108.92, 65.57, 55.06, 44.86, 37.15, 32.33, 29.06]) == 5


@pytest.mark.parametrize("curve", [[], [5], [5, 4], [3, 3, 3]])
def test_a_curve_without_a_bend_has_no_elbow(curve):
    assert elbow(curve) is None


def test_the_highest_silhouette_of_the_stable_wins():
    assert choose_k([ONE, row(2, 0.4, 0.9), row(3, 0.5, 0.8), row(4, 0.9, 0.74)]) == 3


def test_a_k_with_a_small_segment_is_not_eligible_while_another_is():
    panel = [ONE, row(2, 0.9, 0.9, smallest=0.019), row(3, 0.5, 0.6, smallest=0.02)]
    assert choose_k(panel) == 3
    assert choose_k(panel, smallest_share=0.01) == 2
    reasons = explain_choice(panel, 3, forced=False, gap_k=None)
    assert reasons[2] == (
        "Not chosen: the smallest segment has 1.9 % of the customers, fewer than 2 %"
        " (min_segment_share)."
    )


def test_where_every_k_has_a_small_segment_the_reason_says_so():
    panel = [ONE, row(2, 0.9, 0.9, smallest=0.005), row(3, 0.5, 0.8, smallest=0.005)]
    assert choose_k(panel) == 2
    reason = explain_choice(panel, 2, forced=False, gap_k=None)[2]
    assert "Every k has a segment below 2 % of the customers." in reason
    assert reason.startswith("Highest silhouette (0.900)")


def test_a_weakest_segment_at_the_threshold_is_stable():
    assert choose_k([ONE, row(2, 0.4, 0.9), row(3, 0.5, 0.75)]) == 3


def test_equal_silhouettes_give_the_smaller_k():
    assert choose_k([ONE, row(2, 0.5, 0.9), row(3, 0.5, 0.9)]) == 2


def test_where_nothing_is_stable_the_silhouette_decides_and_the_reason_warns():
    panel = [ONE, row(2, 0.1, 0.4), row(3, 0.2, 0.3)]
    assert choose_k(panel) == 3
    reasons = explain_choice(panel, 3, forced=False, gap_k=None)
    assert "Treat the segments with caution" in reasons[3]
    assert reasons[2].startswith("Not chosen: silhouette 0.100 is not above 0.200 at k = 3")


def test_one_point_is_one_segment():
    assert choose_k([ONE]) == 1
    assert explain_choice([ONE], 1, forced=False, gap_k=None)[1].startswith("Only one segment")


def test_reasons_name_the_rivals_and_the_other_criteria():
    panel = [ONE, row(2, 0.4, 0.9), row(3, 0.5, 0.8), row(4, 0.9, 0.74)]
    reasons = explain_choice(panel, 3, forced=False, gap_k=1)
    assert reasons[3] == (
        "Highest silhouette (0.500) among the k whose every segment is stable "
        "(weakest bootstrap Jaccard >= 0.75): 2, 3. "
        "For comparison, the elbow is at 2 and the gap statistic prefers 1."
    )
    assert reasons[4] == "Not chosen: the weakest segment is not stable (Jaccard 0.74 < 0.75)."
    assert reasons[1] == "Not chosen: one segment has no silhouette."


def test_a_forced_k_says_what_the_rule_would_choose():
    panel = [ONE, row(2, 0.4, 0.9), row(3, 0.5, 0.8)]
    reasons = explain_choice(panel, 2, forced=True, gap_k=None)
    assert reasons[2].startswith("k = 2 was set by the variable k; the rule would choose 3.")
    assert reasons[3] == "Not chosen: the variable k is 2."


def test_a_compared_feature_set_is_not_selected():
    assert explain_comparison([ONE, row(2, 0.4, 0.9), row(3, 0.3, 0.8)], gap_k=2).startswith(
        "Compared only. The rule would choose 2 here."
    )
