"""The tables of the report: what stands beside the charts, and what stands behind each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from mall_segments.report.contents import Contents, Row
from mall_segments.report.derived import ALGORITHM_NAMES
from mall_segments.report.formats import count, number, plain, share, words

# Rows of a table behind a chart; the mart has the others.
ROWS_BEHIND_CHART = 120
SUMMARY_COLUMNS = (
    "customers",
    "mean",
    "stddev",
    "minimum",
    "p25",
    "median",
    "p75",
    "maximum",
    "skewness",
    "distinct_values",
)


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, and whether it holds figures or sentences."""

    heading: str
    is_number: bool = False
    is_sentence: bool = False


@dataclass(frozen=True)
class Table:
    """A table as the page shows it.

    Attributes
    ----------
    title : heading, which a screen reader announces
    rows : cells as text
    remark : sentence below, if any
    marts : where the figures come from
    chosen : number of the row that stands out, if any
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    marts: Sequence[str]
    remark: str = ""
    chosen: int | None = field(default=None)


Cell = tuple[Column, Callable[[Row], str]]


def behind_chart(
    title: str, name: str, columns: Sequence[str], rows: list[Row], mart: str
) -> Table:
    """Return the first rows of a dataset as the table behind a chart."""
    shown = rows[:ROWS_BEHIND_CHART]
    remark = (
        f"All {count(len(rows))} rows of {name.replace('_', ' ')}."
        if len(shown) == len(rows)
        else f"The first {len(shown)} of {count(len(rows))} rows of {name.replace('_', ' ')}."
    )
    headings = [
        Column(words(column), is_number=any(_is_number(row[column]) for row in rows))
        for column in columns
    ]
    return Table(
        title=title,
        columns=headings,
        rows=[[plain(row[column]) for column in columns] for row in shown],
        marts=[mart],
        remark=remark,
    )


def tables(contents: Contents) -> dict[str, list[Table]]:
    """Return the tables of every section that has some."""
    return {
        "trust": _border_customers(contents),
        "k": [_candidates(contents)],
        "customers": [_summaries(contents)],
        "source": [_checks(contents), _outliers(contents)],
        "algorithms": _algorithms(contents),
        "model-card": [_model_runs(contents)],
    }


def _border_customers(contents: Contents) -> list[Table]:
    cells = [
        _text("Customer", "customer_id"),
        _text("Segment", "segment_key"),
        _text("Next nearest", "runner_up_segment_key"),
        _figure("Margin", "assignment_margin", partial(number, digits=3)),
        _figure("Probability", "assignment_probability", partial(share, digits=0)),
        _sentence("Why", "description"),
    ]
    if not contents["border_customers"]:
        return []
    return [
        _table(
            "Customers nearest to a border",
            cells,
            contents["border_customers"],
            ["customer_segments", "assignment_reasons"],
            "Margin: 0 on the border, 1 at the centroid.",
        )
    ]


def _candidates(contents: Contents) -> Table:
    rows = [
        row
        for row in contents["k_selection"]
        if row["feature_set"] == contents.quality["feature_set"]
    ]
    cells = [
        _figure("k", "k", count),
        _figure("WCSS", "wcss", partial(number, digits=4)),
        _figure("Silhouette", "silhouette", partial(number, digits=3)),
        _figure("Calinski-Harabasz", "calinski_harabasz", number),
        _figure("Davies-Bouldin", "davies_bouldin", partial(number, digits=3)),
        _figure("Gap", "gap", partial(number, digits=3)),
        _figure("Stability", "stability_jaccard", partial(number, digits=2)),
        _sentence("Verdict", "selection_reason"),
    ]
    chosen = next((place for place, row in enumerate(rows) if row["is_selected"]), None)
    remark = "The mart has the other feature sets too."
    return _table("All candidates", cells, rows, ["k_selection"], remark, chosen)


def _summaries(contents: Contents) -> Table:
    rows = [row for row in contents["summaries"] if row["breakdown"] == "all"]
    cells = [
        _text("Feature", "feature", words),
        *[_figure(words(name), name, plain) for name in SUMMARY_COLUMNS],
    ]
    remark = "The mart has them by segment and gender too."
    return _table("Features in figures", cells, rows, ["feature_summaries"], remark)


def _checks(contents: Contents) -> Table:
    checked = contents["data_quality"]
    failed = [row for row in checked if row["rows_failed"]]
    total = [row for row in checked if row["rule"] == "rejected_rows"]
    cells = [
        _text("Rule", "rule", words),
        _figure("Rows checked", "rows_checked", count),
        _figure("Failed", "rows_failed", count),
        _figure("Share", "failed_share", partial(share, digits=2)),
        _figure("Allowed", "threshold", partial(share, digits=0)),
        _text("Verdict", "verdict"),
    ]
    found = "those that found a row are listed" if failed else "none found a row"
    remark = (
        f"{len(checked)} rules were checked; {found}. Refused rows with their reasons are in "
        "staging.stg_customers_rejected of the warehouse."
    )
    title = "Checks of the source"
    return _table(title, cells, failed or total, ["data_quality_summary"], remark)


def _outliers(contents: Contents) -> Table:
    cells = [
        _text("Feature", "feature", words),
        _text("Rule", "rule", words),
        _figure("Lower bound", "lower_bound", number),
        _figure("Upper bound", "upper_bound", number),
        _figure("Below", "customers_below", count),
        _figure("Above", "customers_above", count),
        _figure("Share", "share", share),
    ]
    remark = "Outliers stay in: they are customers."
    marts = ["outliers", "outlier_customers"]
    return _table("Outliers", cells, contents["outliers"], marts, remark)


def _algorithms(contents: Contents) -> list[Table]:
    cells = [
        _text("Algorithm", "algorithm", lambda name: ALGORITHM_NAMES.get(name, str(name))),
        _figure("Clusters", "clusters", count),
        _figure("Noise", "noise_customers", count),
        _figure("Silhouette", "silhouette", partial(number, digits=3)),
        _figure("Davies-Bouldin", "davies_bouldin", partial(number, digits=3)),
        _figure("Adjusted Rand index", "adjusted_rand_index", partial(number, digits=3)),
        _figure("Seconds", "seconds", partial(number, digits=2)),
        _sentence("What it says", "note"),
    ]
    if not contents["algorithms"]:
        return []
    remark = "Adjusted Rand index: 1 is the same partition as the segments, 0 is chance."
    marts = ["algorithm_comparison"]
    return [_table("Algorithms compared", cells, contents["algorithms"], marts, remark)]


def _model_runs(contents: Contents) -> Table:
    cells = [
        _text("Fitted (UTC)", "fitted_at"),
        _text("Features", "feature_set", words),
        _figure("k", "k", count),
        _figure("WCSS", "wcss", partial(number, digits=4)),
        _figure("Adjusted Rand index", "adjusted_rand_index", partial(number, digits=3)),
        _text("Serves", "is_serving"),
        _sentence("Decision", "decision"),
    ]
    marts = ["segmentation_quality", "model_runs", "builds"]
    return _table("Models", cells, contents["model_runs"], marts)


def _table(
    title: str,
    cells: Sequence[Cell],
    rows: Sequence[Row],
    marts: Sequence[str],
    remark: str = "",
    chosen: int | None = None,
) -> Table:
    columns = [column for column, _ in cells]
    shown = [[value(row) for _, value in cells] for row in rows]
    return Table(title, columns, shown, marts, remark, chosen)


def _figure(heading: str, name: str, form: Callable[..., str]) -> Cell:
    return Column(heading, is_number=True), lambda row: form(row[name])


def _text(heading: str, name: str, form: Callable[..., str] = plain) -> Cell:
    return Column(heading), lambda row: form(row[name])


def _sentence(heading: str, name: str) -> Cell:
    return Column(heading, is_sentence=True), lambda row: plain(row[name])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
