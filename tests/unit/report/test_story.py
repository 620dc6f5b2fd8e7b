import pytest

from mall_segments.report.story import cards, changes, headline, optimum, structure, trust
from tests.unit.report.conftest import BUILD, profile, trusted


def history(build, key, verdict="kept", **changed):
    row = {"build_id": build, "segment_key": key, "verdict": verdict, "is_renamed": False}
    return row | {"previous_segment_name": None} | changed


def moved(before, now, customers):
    return {"from_segment_key": before, "to_segment_key": now, "customers": customers}


def test_headline_names_the_features_in_a_sentence(contents):
    assert headline(contents()) == "100 customers in 2 segments by annual income and spending score"
    three = {"feature_set": "age, annual_income_k_usd, spending_score", "customers": 1234567}
    assert headline(contents(quality=three)) == (
        "1,234,567 customers in 2 segments by age, annual income and spending score"
    )
    one = {"feature_set": "age", "k": 1}
    assert headline(contents(quality=one)) == "100 customers in 1 segment by age"


@pytest.mark.parametrize(
    ("jaccards", "silhouette", "word", "reason"),
    [
        ((0.9, 0.8), 0.6, "Yes", "0.80"),
        ((0.9, 0.8), None, "Yes", "0.80"),
        ((0.9, 0.8), 0.2, "With care", "silhouette 0.20"),
        ((0.9, 0.6), 0.6, "With care", "S2; the lowest bootstrap Jaccard is 0.60"),
        ((0.4, 0.6), 0.6, "No", "S1 and S2; the lowest bootstrap Jaccard is 0.40"),
        ((None, None), 0.6, "Not judged", "not measured"),
    ],
)
def test_trust_follows_the_weakest_segment(contents, jaccards, silhouette, word, reason):
    words = [
        "stable" if (j or 1) >= 0.75 else "uncertain" if j > 0.5 else "dissolved" for j in jaccards
    ]
    rows = [trusted(f"S{i}", j, w) for i, (j, w) in enumerate(zip(jaccards, words, strict=True), 1)]
    verdict = trust(contents(trust=rows, quality={"silhouette": silhouette}))
    assert verdict.word == word
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("silhouette", "words"),
    [
        (1.0, "strong structure"),
        (0.51, "reasonable structure"),
        (0.5, "weak structure"),
        (0.25, "no substantial structure"),
        (-1.0, "no substantial structure"),
        (None, "not defined"),
    ],
)
def test_structure_has_the_borders_of_the_book(silhouette, words):
    assert structure(silhouette) == words


def test_the_optimum_is_proven_or_counted(contents):
    assert optimum(contents().quality) == "7 of 10 local searches end in this partition."
    proven = contents(quality={"proven_wcss_gap": 1.5e-5}).quality
    assert optimum(proven) == "Proven: no partition is better by more than 1.5e-05 of its WCSS."


def test_a_first_build_has_nothing_to_compare_with(contents):
    found = changes(contents(history=[history(BUILD, "S1")]))
    assert found.headline == "First build"
    assert found.sentences == ["There is no earlier build to compare with."]


def test_changes_count_every_customer_once(contents):
    found = changes(
        contents(
            history=[history("build-1", "S1"), history(BUILD, "S1"), history(BUILD, "S3", "new")],
            migrations=[
                moved("S1", "S1", 1000),
                moved("S1", "S3", 20),
                moved(None, "S3", 7),
                moved("S1", None, 5),
            ],
        )
    )
    assert found.headline == "20 moved"
    assert found.sentences == [
        "1,000 customers stayed in their segment, 20 moved to another, 7 joined and 5 left.",
        "S3: new.",
        "No drift from the baseline.",
    ]


def test_changes_tell_of_new_names_and_of_drift(contents):
    renamed = history(BUILD, "S1", is_renamed=True, previous_segment_name="Old name")
    alarm = {"measure": "population_stability_index", "subject": "annual_income_k_usd"}
    found = changes(
        contents(
            history=[history("build-1", "S1"), renamed],
            migrations=[moved("S1", "S1", 10)],
            drift=[alarm | {"value": 0.31, "verdict": "alarm"}],
        )
    )
    assert found.headline == "Nobody moved"
    assert "S1 was named “Old name” before." in found.sentences
    assert (
        "Drift, alarm: population stability index of annual income k usd is 0.310."
        in found.sentences
    )


def test_cards_show_the_largest_segment_first_in_its_own_colour(contents):
    large, small = cards(contents())
    assert (large.key, large.colour) == ("S2", "var(--segment-2)")
    assert (small.key, small.colour) == ("S1", "var(--segment-1)")


def test_a_card_without_stability_or_rule_is_still_a_card(contents):
    (card,) = cards(contents(profiles=[profile("S1", 100)], trust=[]))
    assert card.verdict == "not judged"
    assert card.rule is None
