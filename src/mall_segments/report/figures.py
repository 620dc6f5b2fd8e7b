"""Which charts the report has, in which section, and what is said about each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Literal

from mall_segments.report import charts
from mall_segments.report.contents import MAPPED_CUSTOMERS, SILHOUETTE_BARS, Contents
from mall_segments.report.derived import agreement
from mall_segments.report.formats import feature_words
from mall_segments.report.story import structure
from mall_segments.settings import PROFILE_FEATURES

Size = Literal["wide", "half", "third"]
RAW_COLUMNS = ("customer_id", "gender", *PROFILE_FEATURES)


@dataclass(frozen=True)
class Figure:
    """One chart with what a reader who does not see it needs.

    Attributes
    ----------
    name : unique, names the files of its pictures too
    section : id of the section of the page
    title, description : heading, and what to look for
    chart : Altair chart over named datasets
    datasets : names of the datasets that the chart reads
    table : name of the dataset shown as a table behind the chart, and its columns
    mart : where the figures come from
    shown : values of columns that the chart is limited to, and the table with it
    size : "wide", "half" or "third" of the width of the page
    """

    name: str
    section: str
    title: str
    description: str
    chart: Any
    datasets: tuple[str, ...]
    table: tuple[str, tuple[str, ...]]
    mart: str
    size: Size = "half"
    shown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def figures(contents: Contents) -> list[Figure]:
    """Return the figures of a report in the order of the page; those without data are left out."""
    return [
        *_maps(contents),
        *_profiles(contents),
        *_trust(contents),
        *_number_of_segments(contents),
        *_changes(contents),
        *_customers(contents),
        *_source(contents),
        *_algorithms(contents),
    ]


def segment_scale(contents: Contents) -> charts.SegmentScale:
    """Return the scale of the segments that are, then of those that were."""
    names = {row["segment_key"]: row["segment_name"] for row in contents["profiles"]}
    for row in contents["history"]:
        names.setdefault(row["segment_key"], row["segment_name"])
    return charts.SegmentScale(names)


def live_scale(contents: Contents) -> charts.SegmentScale:
    """Return the scale of the segments that are."""
    return charts.SegmentScale(
        {row["segment_key"]: row["segment_name"] for row in contents["profiles"]}
    )


def main_pair(contents: Contents) -> tuple[str, str]:
    """Return the two features of the main map: those of the segments first."""
    features = [*contents.features, *PROFILE_FEATURES]
    first, second = list(dict.fromkeys(features))[:2]
    return first, second


def sample_note(contents: Contents) -> str:
    """Return what the maps leave out."""
    customers = contents.quality["customers"]
    if customers <= MAPPED_CUSTOMERS:
        return f"All {customers:,} customers."
    return (
        f"A sample of {MAPPED_CUSTOMERS:,} of {customers:,} customers, chosen by a hash of the id, "
        "so that it is the same for every build."
    )


def _maps(contents: Contents) -> Iterator[Figure]:
    scale = live_scale(contents)
    main = main_pair(contents)
    columns = ("customer_id", *PROFILE_FEATURES, "gender", "segment_key", "assignment_probability")
    pairs = [main, *[p for p in combinations(PROFILE_FEATURES, 2) if set(p) != set(main)]]
    for x, y in pairs:
        is_main = (x, y) == main
        name = "map" if is_main else f"map_{x}_{y}"
        words = f"{feature_words(x)} and {feature_words(y)}"
        yield Figure(
            name=name,
            section="map",
            title=f"Customers by {words}",
            description=f"{sample_note(contents)} Each mark is a customer, each disc the centre of "
            "a segment." + (" Click a name in the legend to see it alone." if is_main else ""),
            chart=charts.customer_map(scale, x, y, is_main=is_main),
            datasets=("customers", "centres"),
            table=("customers", columns) if is_main else ("centres", ("segment_key", x, y)),
            mart="customer_segments",
            size="wide" if is_main else "half",
        )


def _profiles(contents: Contents) -> Iterator[Figure]:
    scale = live_scale(contents)
    yield Figure(
        name="profiles",
        section="profiles",
        title="What sets the segments apart",
        description="Means of the segments. The stronger the colour, the further from the mean of "
        "all customers: orange above, blue below.",
        chart=charts.profile_heat_map(scale),
        datasets=("traits",),
        table=(
            "traits",
            (
                "segment_key",
                "feature",
                "segment_mean",
                "population_mean",
                "standardised_difference",
            ),
        ),
        mart="segment_traits",
        size="wide",
    )
    for feature in PROFILE_FEATURES:
        yield Figure(
            name=f"spread_{feature}",
            section="profiles",
            title=f"Spread of {feature_words(feature)}",
            description="Box: the middle half; bar: the median; line: from the lowest to the "
            "highest tenth.",
            chart=charts.box_plot(scale, feature),
            datasets=("summaries",),
            table=(
                "summaries",
                ("feature", "breakdown", "group_key", "p10", "p25", "median", "p75", "p90"),
            ),
            shown={"feature": (feature,), "breakdown": ("all", "segment")},
            mart="feature_summaries",
            size="third",
        )


def _trust(contents: Contents) -> Iterator[Figure]:
    scale = live_scale(contents)
    if any(row["jaccard_mean"] is not None for row in contents["trust"]):
        yield Figure(
            name="stability",
            section="trust",
            title="Are the segments found again?",
            description="Each segment is looked for in bootstrap resamples of the customers. "
            "Point: mean Jaccard similarity; line: its interval; dashed: stable from here "
            "(Hennig 2007).",
            chart=charts.stability(scale),
            datasets=("trust",),
            table=(
                "trust",
                ("segment_key", "jaccard_mean", "jaccard_low", "jaccard_high", "verdict"),
            ),
            mart="segment_trust",
        )
    if contents["probabilities"]:
        yield Figure(
            name="certainty",
            section="trust",
            title="How sure is each customer's place?",
            description="The share of refits on resampled customers that put a customer into the "
            "same segment.",
            chart=charts.certainty(scale),
            datasets=("probabilities",),
            table=("probabilities", ("segment_key", "probability_from", "customers")),
            mart="customer_segments",
        )
    if contents["silhouettes"]:
        mean = contents.quality["silhouette"]
        shown = (
            "Every customer"
            if len(contents["silhouettes"])
            == sum(
                {row["segment_key"]: row["customers"] for row in contents["silhouettes"]}.values()
            )
            else f"Up to {SILHOUETTE_BARS} customers a segment, evenly spaced by rank"
        )
        at_mean = "" if mean is None else f" Dashed: the mean, {mean:.3f}, {structure(mean)}."
        yield Figure(
            name="silhouettes",
            section="trust",
            title="Silhouette of the customers",
            description=f"{shown}: how much nearer the own segment is than the nearest other; "
            f"below 0 the other is nearer.{at_mean}",
            chart=charts.silhouette_plot(scale, mean),
            datasets=("silhouette_bars",),
            table=(
                "silhouettes",
                ("segment_key", "customer_rank", "silhouette", "nearest_other_segment_key"),
            ),
            mart="customer_silhouettes",
            size="wide",
        )


def _number_of_segments(contents: Contents) -> Iterator[Figure]:
    quality = contents.quality
    criteria = (
        (
            "wcss",
            "elbow",
            "Elbow: WCSS",
            "Within-cluster sum of squares: falls with every k; the "
            "bend is where another segment stops paying.",
        ),
        ("silhouette", "silhouette_by_k", "Mean silhouette", "Higher is better separated."),
        (
            "stability_jaccard",
            "stability_by_k",
            "Stability",
            "Mean bootstrap Jaccard; stable from the dashed line.",
        ),
        (
            "gap",
            "gap_by_k",
            "Gap statistic",
            "Against data without clusters, with its standard error (Tibshirani et al. 2001).",
        ),
    )
    rows = [r for r in contents["k_selection"] if r["feature_set"] == quality["feature_set"]]
    for criterion, name, title, description in criteria:
        if any(row[criterion] is not None for row in rows):
            yield Figure(
                name=name,
                section="k",
                title=title,
                description=f"{description} The large point is k = {quality['k']}.",
                chart=charts.criterion_by_k(quality["feature_set"], criterion, title, quality["k"]),
                datasets=("k_selection",),
                table=("k_selection", ("feature_set", "k", criterion, "is_selected")),
                shown={"feature_set": (quality["feature_set"],)},
                mart="k_selection",
            )


def _changes(contents: Contents) -> Iterator[Figure]:
    if len({row["build_id"] for row in contents["history"]}) > 1:
        yield Figure(
            name="history",
            section="changes",
            title="Segments from build to build",
            description="Share of all customers.",
            chart=charts.history(segment_scale(contents)),
            datasets=("history",),
            table=(
                "history",
                ("segmented_at", "segment_key", "verdict", "customers", "customer_share"),
            ),
            mart="segment_history",
        )
    moves = [
        row for row in contents["migrations"] if row["from_segment_key"] and row["to_segment_key"]
    ]
    if moves:
        yield Figure(
            name="migrations",
            section="changes",
            title="Who moved since the last build",
            description="Customers by the segment before and now; on the diagonal they stayed.",
            chart=charts.migrations(),
            datasets=("migrations",),
            table=(
                "migrations",
                ("from_segment_key", "to_segment_key", "customers", "customer_share"),
            ),
            mart="segment_migrations",
        )
    if any(row["baseline_build_id"] != row["build_id"] for row in contents["drift"]):
        yield Figure(
            name="drift",
            section="changes",
            title="Drift from the baseline",
            description="Every measure as a share of the value that raises an alarm.",
            chart=charts.drift(),
            datasets=("drift",),
            table=("drift", ("measure", "subject", "value", "watch_from", "alarm_from", "verdict")),
            mart="segment_drift",
            size="wide",
        )


def _customers(contents: Contents) -> Iterator[Figure]:
    scale = live_scale(contents)
    genders = sorted({row["gender"] for row in contents["age_bands"]})
    for feature in PROFILE_FEATURES:
        yield Figure(
            name=f"distribution_{feature}",
            section="customers",
            title=f"Distribution of {feature_words(feature)}",
            description="Customers per bin, stacked by segment in the colours of the cards.",
            chart=charts.histogram(scale, feature),
            datasets=("distributions",),
            table=(
                "distributions",
                ("feature", "breakdown", "group_key", "bin_lower", "bin_upper", "customers"),
            ),
            shown={"feature": (feature,), "breakdown": ("segment",)},
            mart="feature_distributions",
            size="third",
        )
    for feature in PROFILE_FEATURES:
        yield Figure(
            name=f"gender_{feature}",
            section="customers",
            title=f"{feature_words(feature).capitalize()} by gender",
            description="Share of each gender per bin.",
            chart=charts.gender_histogram(feature, genders),
            datasets=("distributions",),
            table=(
                "distributions",
                ("feature", "breakdown", "group_key", "bin_lower", "bin_upper", "share"),
            ),
            shown={"feature": (feature,), "breakdown": ("gender",)},
            mart="feature_distributions",
            size="third",
        )
    columns = ("age_band", "segment_key", "gender", "customers")
    yield Figure(
        name="age_bands",
        section="customers",
        title="Age bands",
        description="Customers per age band, stacked by segment.",
        chart=charts.age_bands(scale),
        datasets=("age_bands",),
        table=("age_bands", columns),
        mart="age_bands",
    )
    yield Figure(
        name="genders",
        section="customers",
        title="Gender of the segments",
        description="Gender describes the segments; it has no part in making them.",
        chart=charts.genders_by_segment(scale, genders),
        datasets=("age_bands",),
        table=("age_bands", columns),
        mart="age_bands",
    )
    for coefficient in ("pearson", "spearman"):
        yield Figure(
            name=f"correlation_{coefficient}",
            section="customers",
            title=f"{coefficient.capitalize()} correlation",
            description="Of values." if coefficient == "pearson" else "Of ranks.",
            chart=charts.correlation_heat_map(coefficient),
            datasets=("correlations",),
            table=("correlations", ("feature", "other_feature", coefficient, "customers")),
            mart="feature_correlations",
        )


def _source(contents: Contents) -> Iterator[Figure]:
    failed = [row for row in contents["data_quality"] if row["rows_failed"]]
    if contents["missingness"]:
        yield Figure(
            name="missing",
            section="source",
            title="Missing values",
            description="Rows of the source in which both columns are missing; on the diagonal the "
            "column alone.",
            chart=charts.missing_matrix(RAW_COLUMNS),
            datasets=("missingness",),
            table=(
                "missingness",
                ("column_name", "other_column_name", "missing_rows", "missing_share"),
            ),
            mart="feature_missingness",
            size="half" if failed else "wide",
        )
    if failed:
        yield Figure(
            name="refusals",
            section="source",
            title="What was wrong in the source",
            description="Rows that failed each rule; one row may fail several.",
            chart=charts.refusals(),
            datasets=("data_quality",),
            table=(
                "data_quality",
                ("rule", "rows_checked", "rows_failed", "failed_share", "verdict"),
            ),
            mart="data_quality_summary",
        )


def _algorithms(contents: Contents) -> Iterator[Figure]:
    scale = live_scale(contents)
    if rows := agreement(contents):
        yield Figure(
            name="agreement",
            section="algorithms",
            title="Where the clusters of other algorithms lie",
            description="One row per cluster of another algorithm; the customers in it by segment.",
            chart=charts.agreement(scale, list(dict.fromkeys(row["row"] for row in rows))),
            datasets=("agreement",),
            table=("agreement", ("algorithm", "cluster", "segment_key", "customers")),
            mart="algorithm_assignments",
        )
    if len(contents["cluster_tree"]) > 1:
        yield Figure(
            name="tree",
            section="algorithms",
            title="Ward's tree",
            description="The last merges of hierarchical clustering. Cut where the vertical lines "
            "are longest.",
            chart=charts.dendrogram(scale),
            datasets=("tree_lines", "tree_leaves"),
            table=("cluster_tree", ("node", "parent_node", "height", "customers", "segment_key")),
            mart="cluster_tree",
        )
