from dataclasses import replace

import numpy as np
import pytest

from mall_segments.assignment import Scaling
from mall_segments.identity import Registered
from mall_segments.kmeans import fit_kmeans
from mall_segments.stored_model import Gates, StoredModel, challenge, in_scale_of
from mall_segments.weighted_points import WeightedPoints

SCALING = (
    Scaling("annual_income_k_usd", 60.56, 26.2, 15.0, 137.0),
    Scaling("spending_score", 50.2, 25.8, 1.0, 99.0),
)
LENIENT = Gates(0.0, 0.0, 0.0, 100.0)
GATES = Gates(0.5, 0.02, 0.8, 0.5)


@pytest.fixture
def points(mall_points):
    return mall_points()


def stored(challenger):
    fit = challenger.fit
    return StoredModel(
        "first",
        SCALING,
        Registered(
            tuple(one.key for one in challenger.identities),
            fit.centroids,
            challenger.radii,
            fit.cluster_weights / fit.cluster_weights.sum(),
        ),
    )


@pytest.fixture
def champion(points):
    first = challenge(fit_kmeans(points, 5), points, SCALING, None, [], GATES)
    assert first.is_promoted
    assert first.decision == "Promoted: the first model of these features."
    assert first.adjusted_rand_index is None
    return stored(first)


def refit(points, champion, gates=GATES, k=5, scaling=SCALING, **options):
    fit = fit_kmeans(points, k)
    return challenge(fit, points, scaling, champion, champion.registered.keys, gates, **options)


def test_the_same_customers_promote_the_same_segments(points, champion):
    again = refit(points, champion)
    assert again.is_promoted
    assert again.decision == "Promoted: every gate is met."
    assert again.adjusted_rand_index == 1.0
    assert [str(one.verdict) for one in again.identities] == ["kept"] * 5


@pytest.mark.parametrize(
    ("gate", "value", "reason"),
    [
        ("min_segment_stability", 0.99, "the bootstrap Jaccard of S3 is 0.97"),
        ("min_segment_share", 0.2, "S5 has 11.0% of the customers"),
    ],
)
def test_a_refit_that_fails_a_gate_is_not_promoted_unless_asked(
    points, champion, gate, value, reason
):
    gates = replace(GATES, **{gate: value})
    refused = refit(points, champion, gates)
    assert not refused.is_promoted
    assert refused.decision.startswith(f"Not promoted: {reason}")
    assert f"{gate} {value}" in refused.decision
    forced = refit(points, champion, gates, promote=True)
    assert forced.is_promoted
    assert forced.decision.startswith(f"Promoted by request, against the gates: {reason}")


def test_a_first_model_serves_whatever_the_gates_say_and_says_so(points):
    first = challenge(
        fit_kmeans(points, 5), points, SCALING, None, [], replace(GATES, min_segment_share=0.2)
    )
    assert first.is_promoted
    assert "Treat it with caution: S5 has 11.0% of the customers" in first.decision


def test_a_partition_that_no_verdict_explains_is_not_promoted(points, champion, generator):
    shuffled = generator.permutation(fit_kmeans(points, 5).labels)
    fit = replace(fit_kmeans(points, 5), labels=shuffled)
    refused = challenge(fit, points, SCALING, champion, champion.registered.keys, GATES)
    assert "adjusted Rand index with the stored model is" in refused.decision


def test_a_population_that_went_elsewhere_is_not_promoted(points, champion):
    moved = (replace(SCALING[0], mean=SCALING[0].mean + 20), SCALING[1])
    refused = refit(points, champion, scaling=moved)
    assert (
        "the mean of annual_income_k_usd is 0.76 standard deviations from that of the stored model"
        in refused.decision
    )


def test_more_segments_are_a_split_and_promoted(points, champion):
    finer = refit(points, champion, k=6)
    assert "split" in {str(one.verdict) for one in finer.identities}
    assert finer.is_promoted, finer.decision
    assert "S6" in {one.key for one in finer.identities}


def test_points_are_seen_in_the_scale_of_the_model():
    own = (Scaling("age", 40.0, 10.0, 18.0, 70.0),)
    model = StoredModel("m", (Scaling("age", 30.0, 5.0, 18.0, 70.0),), None)
    points = WeightedPoints(np.array([[-1.0], [0.5]]), np.ones(2))
    assert in_scale_of(model, points, own).coordinates.tolist() == [[0.0], [3.0]]
