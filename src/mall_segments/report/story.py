"""What the report says in words: the headline, whether to trust it, what changed, the cards."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from mall_segments.report.contents import Contents, Row
from mall_segments.report.formats import feature_words
from mall_segments.report.palette import segment_colour, shape
from mall_segments.settings import PROFILE_FEATURES

# Kaufman & Rousseeuw (1990), Finding Groups in Data, table 4: what a mean silhouette says.
WEAK_STRUCTURE_FROM = 0.26
STRUCTURE_FROM = (
    (0.71, "strong structure"),
    (0.51, "reasonable structure"),
    (WEAK_STRUCTURE_FROM, "weak structure"),
    (-1.0, "no substantial structure"),
)


@dataclass(frozen=True)
class Verdict:
    """An answer in one word, why, and the role of its colour: good, warn, bad or muted."""

    word: str
    reason: str
    role: str


@dataclass(frozen=True)
class Card:
    """One segment as a marketer reads it."""

    key: str
    name: str
    colour: str
    glyph: str
    tier: str
    customers: int
    share: float
    female_share: float | None
    traits: list[str]
    action: str
    figures: list[Row]
    verdict: str
    rule: Row | None
    uncertain_customers: int


@dataclass(frozen=True)
class Changes:
    """What is different from the build before."""

    headline: str
    sentences: list[str]


def headline(contents: Contents) -> str:
    """Return how many customers and segments there are, and by what."""
    quality = contents.quality
    words = [feature_words(feature) for feature in contents.features]
    segments = "segment" if quality["k"] == 1 else "segments"
    return f"{quality['customers']:,} customers in {quality['k']} {segments} by {_listed(words)}"


def structure(silhouette: float | None) -> str:
    """Return what a mean silhouette says.

    Examples
    --------
    >>> structure(0.5547)
    'reasonable structure'
    """
    if silhouette is None:
        return "not defined"
    return next(words for least, words in STRUCTURE_FROM if silhouette >= least)


def trust(contents: Contents) -> Verdict:
    """Return whether the segments can be relied on, by their weakest one."""
    rows = contents["trust"]
    judged = [row for row in rows if row["jaccard_mean"] is not None]
    if not judged:
        return Verdict("Not judged", "The stability of these segments was not measured.", "muted")
    weakest = min(judged, key=lambda row: row["jaccard_mean"])
    lowest = f"the lowest bootstrap Jaccard is {weakest['jaccard_mean']:.2f}"
    weak = [row["segment_key"] for row in judged if row["verdict"] != "stable"]
    silhouette = contents.quality["silhouette"]
    if not weak and silhouette is not None and silhouette < WEAK_STRUCTURE_FROM:
        reason = f"They are found again, but lie close together: silhouette {silhouette:.2f}."
        return Verdict("With care", reason, "warn")
    if not weak:
        return Verdict("Yes", f"Every segment is found again in resampled data; {lowest}.", "good")
    if any(row["verdict"] == "dissolved" for row in judged):
        reason = f"Not found again in resampled data: {_listed(weak)}; {lowest}."
        return Verdict("No", reason, "bad")
    reason = f"Not always found again in resampled data: {_listed(weak)}; {lowest}."
    return Verdict("With care", reason, "warn")


def optimum(quality: Row) -> str:
    """Return how sure it is that no better partition exists."""
    if quality["proven_wcss_gap"] is not None:
        gap = quality["proven_wcss_gap"]
        return f"Proven: no partition is better by more than {gap:.2g} of its WCSS."
    return str(quality["search_verdict"])


def changes(contents: Contents) -> Changes:
    """Return what changed since the build before."""
    builds = {row["build_id"] for row in contents["history"]}
    if len(builds) < 2:
        sentences = ["There is no earlier build to compare with."]
        if contents["drift"]:
            sentences.append("From now on, drift is measured against the customers of this build.")
        return Changes("First build", sentences)
    sentences = []
    moves = contents["migrations"]
    stayed = sum(r["customers"] for r in moves if r["from_segment_key"] == r["to_segment_key"])
    joined = sum(r["customers"] for r in moves if r["from_segment_key"] is None)
    left = sum(r["customers"] for r in moves if r["to_segment_key"] is None)
    moved = sum(r["customers"] for r in moves) - stayed - joined - left
    sentences.append(
        f"{stayed:,} customers stayed in their segment, {moved:,} moved to another, "
        f"{joined:,} joined and {left:,} left."
    )
    last = [row for row in contents["history"] if row["build_id"] == contents.quality["build_id"]]
    for verdict, rows in groupby(sorted(last, key=lambda r: r["verdict"]), lambda r: r["verdict"]):
        if verdict != "kept":
            sentences.append(f"{_listed([row['segment_key'] for row in rows])}: {verdict}.")
    sentences += [
        f"{row['segment_key']} was named “{row['previous_segment_name']}” before."
        for row in last
        if row["is_renamed"]
    ]
    drifted = [row for row in contents["drift"] if row["verdict"] != "stable"]
    sentences += [
        f"Drift, {row['verdict']}: {row['measure'].replace('_', ' ')} of "
        f"{row['subject'].replace('_', ' ')} is {row['value']:.3f}."
        for row in drifted
    ]
    if not drifted:
        sentences.append("No drift from the baseline.")
    word = f"{moved:,} moved" if moved else "Nobody moved"
    return Changes(word, sentences)


def cards(contents: Contents) -> list[Card]:
    """Return one card per segment, the largest first."""
    trusted = {row["segment_key"]: row for row in contents["trust"]}
    found = []
    for index, row in enumerate(contents["profiles"]):
        key = row["segment_key"]
        traits = [trait for trait in contents["traits"] if trait["segment_key"] == key]
        rules = [rule for rule in contents["rules"] if rule["segment_key"] == key]
        found.append(
            Card(
                key=key,
                name=row["segment_name"],
                colour=segment_colour(index),
                glyph=shape(index),
                tier=row["value_tier"],
                customers=row["customers"],
                share=row["customer_share"],
                female_share=row["female_share"],
                traits=[trait["description"] for trait in traits],
                action=row["recommended_action"],
                figures=[
                    {
                        "label": feature_words(feature),
                        "mean": row[f"{feature}_mean"],
                        "index": row[f"{feature}_index"],
                        "unit": " k$" if feature == "annual_income_k_usd" else "",
                    }
                    for feature in PROFILE_FEATURES
                ],
                verdict=trusted[key]["verdict"] if key in trusted else "not judged",
                rule=rules[0] if rules else None,
                uncertain_customers=trusted[key]["uncertain_customers"] if key in trusted else 0,
            )
        )
    return sorted(found, key=lambda card: -card.customers)


def _listed(names: list[str]) -> str:
    """Return names as a sentence has them.

    Examples
    --------
    >>> _listed(["S1", "S2", "S3"])
    'S1, S2 and S3'
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
