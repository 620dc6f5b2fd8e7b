"""The charts of the report, as Vega-Lite by Altair: one function a chart, no data of its own.

Each chart names its dataset; the page and the pictures put the rows there. Colours are names of CSS
variables (see `palette`). Where a shade stands for a number it is the opacity of a colour, which
reads on a light and on a dark page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from mall_segments.report.formats import label
from mall_segments.report.palette import colour, segment_colour, shape
from mall_segments.settings import PROFILE_FEATURES

FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
HEIGHT = 260
# A standardised difference from which on a cell has its full colour.
FULL_COLOUR_DIFFERENCE = 2.0
# Bootstrap Jaccard from which on a segment counts as stable (Hennig 2007).
STABLE_FROM = 0.75


class SegmentScale:
    """Colour, shape and legend of the segments, the same in every chart.

    Parameters
    ----------
    names : segment names by key, in the order that colours and shapes follow
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.keys = list(names)
        self.labels = {key: f"{key} {name}" for key, name in names.items()}

    def colour(self, *, legend: bool = False, field: str = "segment_key") -> alt.Color:
        """Return the colour channel."""
        scale = alt.Scale(
            domain=self.keys, range=[segment_colour(i) for i in range(len(self.keys))]
        )
        return alt.Color(f"{field}:N", scale=scale, legend=self._legend() if legend else None)

    def shape(self, *, legend: bool = False) -> alt.Shape:
        """Return the shape channel."""
        scale = alt.Scale(domain=self.keys, range=[shape(i) for i in range(len(self.keys))])
        return alt.Shape("segment_key:N", scale=scale, legend=self._legend() if legend else None)

    def axis(self, field: str = "segment_key", **options: Any) -> alt.Y:
        """Return a y axis of segment keys in their order."""
        return alt.Y(f"{field}:N", sort=self.keys, title=None, **options)

    def _legend(self) -> alt.Legend:
        names = json.dumps(self.labels)
        return alt.Legend(
            title=None,
            orient="bottom",
            columns=2,
            labelLimit=320,
            labelExpr=f"({names})[datum.label]",
            symbolOpacity=1,
        )


def customer_map(segments: SegmentScale, x: str, y: str, *, is_main: bool) -> alt.LayerChart:
    """Show customers by two features with the centres; the legend of the main map filters."""
    picked = alt.selection_point(name="picked", fields=["segment_key"], bind="legend")
    points = (
        alt.Chart(alt.NamedData("customers"))
        .mark_point(filled=True, size=90 if is_main else 40, strokeWidth=0)
        .encode(
            x=_feature(x),
            y=alt.Y(f"{y}:Q", title=label(y), scale=alt.Scale(zero=False, nice=True)),
            color=segments.colour(legend=is_main),
            shape=segments.shape(legend=is_main),
            tooltip=[
                alt.Tooltip("customer_id:Q", title="Customer", format="d"),
                alt.Tooltip("segment_key:N", title="Segment"),
                alt.Tooltip("age:Q", title="Age"),
                alt.Tooltip("annual_income_k_usd:Q", title="Income (k$)"),
                alt.Tooltip("spending_score:Q", title="Score"),
                alt.Tooltip("gender:N", title="Gender"),
                alt.Tooltip("assignment_probability:Q", title="Probability", format=".0%"),
            ],
        )
    )
    if is_main:
        points = points.encode(
            opacity=alt.condition(picked, alt.value(0.9), alt.value(0.08))
        ).add_params(picked)
    else:
        points = points.encode(opacity=alt.value(0.75))
    centres = alt.Chart(alt.NamedData("centres")).encode(x=f"{x}:Q", y=f"{y}:Q")
    tooltip = [
        alt.Tooltip("segment_key:N", title="Centre of"),
        alt.Tooltip(f"{x}:Q", title=label(x), format=".1f"),
        alt.Tooltip(f"{y}:Q", title=label(y), format=".1f"),
    ]
    disc = centres.mark_circle(
        size=420 if is_main else 260,
        opacity=1,
        fill=colour("page"),
        stroke=colour("ink"),
        strokeWidth=1.5,
    ).encode(tooltip=tooltip)
    key = centres.mark_text(
        fontWeight="bold", fontSize=12 if is_main else 10, color=colour("ink")
    ).encode(text="segment_key:N", tooltip=tooltip)
    return _sized(alt.layer(points, disc, key), 460 if is_main else HEIGHT)


def profile_heat_map(segments: SegmentScale) -> alt.LayerChart:
    """Mean of every feature in every segment; colour is the distance from all customers."""
    base = alt.Chart(alt.NamedData("traits")).encode(
        x=alt.X(
            "feature:N",
            title=None,
            sort=list(PROFILE_FEATURES),
            axis=alt.Axis(orient="top", labelAngle=0, labelExpr=_label_expression(), ticks=False),
        ),
        y=segments.axis(axis=alt.Axis(ticks=False)),
        tooltip=[
            alt.Tooltip("segment_name:N", title="Segment"),
            alt.Tooltip("feature:N", title="Feature"),
            alt.Tooltip("segment_mean:Q", title="Mean", format=".2f"),
            alt.Tooltip("population_mean:Q", title="All customers", format=".2f"),
            alt.Tooltip(
                "standardised_difference:Q", title="Standard deviations away", format="+.2f"
            ),
        ],
    )
    cells = base.mark_rect(stroke=colour("page"), strokeWidth=2).encode(
        color=_sign("standardised_difference"),
        opacity=alt.Opacity(
            "size:Q",
            scale=alt.Scale(domain=[0, FULL_COLOUR_DIFFERENCE], range=[0, 0.45], clamp=True),
            legend=None,
        ),
    )
    cells = cells.transform_calculate(size="abs(datum.standardised_difference)")
    text = base.mark_text(fontSize=13, color=colour("ink")).encode(
        text=alt.Text("segment_mean:Q", format=".1f")
    )
    return _sized(alt.layer(cells, text), 40 + 40 * len(segments.keys))


def box_plot(segments: SegmentScale, feature: str) -> alt.LayerChart:
    """Middle half, median and the range from p10 to p90 of a feature in every segment."""
    base = (
        alt.Chart(alt.NamedData("summaries"))
        .transform_filter(
            f"datum.feature === '{feature}' && (datum.breakdown === 'segment'"
            " || datum.breakdown === 'all')"
        )
        .encode(
            y=alt.Y("group_key:N", sort=["all", *segments.keys], title=None),
            tooltip=[
                alt.Tooltip("group_key:N", title="Segment"),
                *[
                    alt.Tooltip(f"{name}:Q", title=name, format=".1f")
                    for name in ("minimum", "p10", "p25", "median", "p75", "p90", "maximum")
                ],
            ],
        )
    )
    scale = alt.Scale(
        domain=["all", *segments.keys],
        range=[colour("muted"), *[segment_colour(i) for i in range(len(segments.keys))]],
    )
    tint = alt.Color("group_key:N", scale=scale, legend=None)
    whisker = base.mark_rule(strokeWidth=1.5).encode(
        x=alt.X("p10:Q", title=label(feature), scale=alt.Scale(zero=False)), x2="p90:Q", color=tint
    )
    box = base.mark_bar(height=16, fillOpacity=0.45).encode(x="p25:Q", x2="p75:Q", color=tint)
    median = base.mark_tick(thickness=3, height=16).encode(x="median:Q", color=tint)
    return _sized(alt.layer(whisker, box, median), 50 + 34 * (len(segments.keys) + 1))


def histogram(segments: SegmentScale, feature: str) -> alt.Chart:
    """Show customers per bin of a feature, stacked by segment."""
    chart = (
        alt.Chart(alt.NamedData("distributions"))
        .transform_filter(f"datum.feature === '{feature}' && datum.breakdown === 'segment'")
        .mark_bar(stroke=colour("page"), strokeWidth=0.5)
        .encode(
            x=alt.X("bin_lower:Q", bin="binned", title=label(feature)),
            x2="bin_upper:Q",
            y=alt.Y("customers:Q", title="Customers", stack=True),
            color=segments.colour(field="group_key"),
            order=alt.Order("group_key:O"),
            tooltip=[
                alt.Tooltip("group_key:N", title="Segment"),
                alt.Tooltip("bin_lower:Q", title="From"),
                alt.Tooltip("bin_upper:Q", title="To"),
                alt.Tooltip("customers:Q", title="Customers", format=","),
            ],
        )
    )
    return _sized(chart)


def gender_histogram(feature: str, genders: Sequence[str]) -> alt.Chart:
    """Share of each gender per bin of a feature."""
    chart = (
        alt.Chart(alt.NamedData("distributions"))
        .transform_filter(f"datum.feature === '{feature}' && datum.breakdown === 'gender'")
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("bin_lower:Q", title=label(feature), scale=alt.Scale(zero=False)),
            y=alt.Y("share:Q", title="Share of the gender", axis=alt.Axis(format="%")),
            color=_genders(genders, legend=True),
            strokeDash=alt.StrokeDash(
                "group_key:N",
                scale=alt.Scale(domain=list(genders)),
                legend=alt.Legend(title=None, orient="bottom"),
            ),
            tooltip=[
                alt.Tooltip("group_key:N", title="Gender"),
                alt.Tooltip("bin_lower:Q", title="From"),
                alt.Tooltip("bin_upper:Q", title="To"),
                alt.Tooltip("customers:Q", title="Customers", format=","),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
            ],
        )
    )
    return _sized(chart)


def criterion_by_k(feature_set: str, criterion: str, title: str, k: int) -> alt.LayerChart:
    """One criterion for every k of the panel, the chosen k marked."""
    base = (
        alt.Chart(alt.NamedData("k_selection"))
        .transform_filter(f"datum.feature_set === {json.dumps(feature_set)}")
        .encode(
            x=alt.X("k:O", title="Number of segments k", axis=alt.Axis(labelAngle=0)),
            y=alt.Y(f"{criterion}:Q", title=title, scale=alt.Scale(zero=criterion != "gap")),
            tooltip=[
                alt.Tooltip("k:O"),
                alt.Tooltip(f"{criterion}:Q", title=title, format=".4f"),
                alt.Tooltip("selection_reason:N", title="Why"),
            ],
        )
    )
    line = base.mark_line(color=colour("muted"), strokeWidth=2)
    points = base.mark_point(filled=True, size=50, color=colour("muted"), opacity=1)
    chosen = base.transform_filter(f"datum.k === {k}").mark_point(
        filled=True, size=170, color=colour("accent"), opacity=1
    )
    layers: list[Any] = [line, points, chosen]
    if criterion == "stability_jaccard":
        layers.insert(0, _reference(STABLE_FROM))
    if criterion == "gap":
        error = base.mark_rule(color=colour("muted")).transform_calculate(
            lower="datum.gap - datum.gap_standard_error",
            upper="datum.gap + datum.gap_standard_error",
        )
        layers.insert(0, error.encode(y=alt.Y("lower:Q", title=title), y2="upper:Q"))
    return _sized(alt.layer(*layers))


def silhouette_plot(segments: SegmentScale, mean: float | None) -> alt.LayerChart:
    """Silhouette of every customer, or evenly spaced ones, sorted within the segment."""
    bars = (
        alt.Chart(alt.NamedData("silhouette_bars"))
        .mark_bar()
        .encode(
            x=alt.X("silhouette:Q", title="Silhouette"),
            y=alt.Y("bar:O", title=None, sort=None, scale=alt.Scale(padding=0), axis=None),
            color=segments.colour(legend=True),
            tooltip=[
                alt.Tooltip("segment_key:N", title="Segment"),
                alt.Tooltip("customer_rank:Q", title="Rank in the segment"),
                alt.Tooltip("customers:Q", title="Customers of the segment"),
                alt.Tooltip("silhouette:Q", format=".3f"),
                alt.Tooltip("nearest_other_segment_key:N", title="Nearest other segment"),
            ],
        )
    )
    layers: list[Any] = [bars]
    if mean is not None:
        layers.append(_reference(mean, "x"))
    return _sized(alt.layer(*layers), 420)


def stability(segments: SegmentScale) -> alt.LayerChart:
    """Bootstrap Jaccard of every segment with its interval, and where stable begins."""
    base = alt.Chart(alt.NamedData("trust")).encode(
        y=segments.axis(),
        color=segments.colour(),
        tooltip=[
            alt.Tooltip("segment_name:N", title="Segment"),
            alt.Tooltip("jaccard_mean:Q", title="Mean Jaccard", format=".3f"),
            alt.Tooltip("jaccard_low:Q", title="From", format=".3f"),
            alt.Tooltip("jaccard_high:Q", title="To", format=".3f"),
            alt.Tooltip("verdict:N", title="Verdict"),
        ],
    )
    interval = base.mark_rule(strokeWidth=3).encode(
        x=alt.X(
            "jaccard_low:Q",
            title="Bootstrap Jaccard (1 = found again whole)",
            scale=alt.Scale(domain=[0, 1]),
        ),
        x2="jaccard_high:Q",
    )
    mean = base.mark_point(filled=True, size=110, opacity=1).encode(
        x="jaccard_mean:Q", shape=segments.shape()
    )
    layers = [_reference(STABLE_FROM, "x"), interval, mean]
    return _sized(alt.layer(*layers), 50 + 34 * len(segments.keys))


def certainty(segments: SegmentScale) -> alt.Chart:
    """Show customers by the probability of their segment."""
    chart = (
        alt.Chart(alt.NamedData("probabilities"))
        .transform_calculate(probability_to="datum.probability_from + 0.1")
        .mark_bar(stroke=colour("page"), strokeWidth=0.5)
        .encode(
            x=alt.X(
                "probability_from:Q",
                bin="binned",
                title="Probability of the segment",
                axis=alt.Axis(format="%"),
                scale=alt.Scale(domain=[0, 1]),
            ),
            x2="probability_to:Q",
            y=alt.Y("customers:Q", title="Customers", stack=True),
            color=segments.colour(),
            tooltip=[
                alt.Tooltip("segment_key:N", title="Segment"),
                alt.Tooltip("probability_from:Q", title="From", format=".0%"),
                alt.Tooltip("customers:Q", title="Customers", format=","),
            ],
        )
    )
    return _sized(chart)


def correlation_heat_map(coefficient: str) -> alt.LayerChart:
    """One correlation coefficient of every pair of features."""
    base = alt.Chart(alt.NamedData("correlations")).encode(
        x=_matrix_axis(alt.X, "feature", list(PROFILE_FEATURES)),
        y=_matrix_axis(alt.Y, "other_feature", list(PROFILE_FEATURES)),
        tooltip=[
            alt.Tooltip("feature:N"),
            alt.Tooltip("other_feature:N"),
            alt.Tooltip("pearson:Q", format="+.3f"),
            alt.Tooltip("spearman:Q", format="+.3f"),
        ],
    )
    cells = (
        base.transform_calculate(size=f"abs(datum.{coefficient})")
        .mark_rect(stroke=colour("page"), strokeWidth=2)
        .encode(
            color=_sign(coefficient),
            opacity=alt.Opacity(
                "size:Q", scale=alt.Scale(domain=[0, 1], range=[0, 0.5]), legend=None
            ),
        )
    )
    text = base.mark_text(fontSize=13, color=colour("ink")).encode(
        text=alt.Text(f"{coefficient}:Q", format="+.2f")
    )
    return _sized(alt.layer(cells, text), 200)


def missing_matrix(columns: Sequence[str]) -> alt.LayerChart:
    """Rows of the source in which both of two columns are missing."""
    base = alt.Chart(alt.NamedData("missingness")).encode(
        x=_matrix_axis(alt.X, "column_name", columns),
        y=_matrix_axis(alt.Y, "other_column_name", columns),
        tooltip=[
            alt.Tooltip("column_name:N", title="Column"),
            alt.Tooltip("other_column_name:N", title="and"),
            alt.Tooltip("missing_rows:Q", title="Rows with both missing", format=","),
            alt.Tooltip("missing_share:Q", title="Share", format=".2%"),
            alt.Tooltip("missing_correlation:Q", title="Correlation", format="+.2f"),
        ],
    )
    cells = base.mark_rect(
        color=colour("above"), stroke=colour("line"), strokeWidth=1, strokeOpacity=1
    ).encode(
        fillOpacity=alt.FillOpacity(
            "missing_share:Q",
            scale=alt.Scale(domain=[0, 0.25], range=[0, 0.6], clamp=True),
            legend=None,
        )
    )
    text = base.mark_text(fontSize=12, color=colour("ink")).encode(
        text=alt.Text("missing_rows:Q", format=",")
    )
    return _sized(alt.layer(cells, text))


def refusals() -> alt.Chart:
    """Show the rows that each rule of the source refused or noted."""
    chart = (
        alt.Chart(alt.NamedData("data_quality"))
        .transform_filter("datum.rows_failed > 0")
        .transform_calculate(what="replace(replace(datum.rule, /_/g, ' '), ':', ': ')")
        .mark_bar(height=14)
        .encode(
            x=alt.X("rows_failed:Q", title="Rows", axis=alt.Axis(format=",d", tickMinStep=1)),
            y=alt.Y("what:N", title=None, sort="-x", axis=alt.Axis(labelLimit=260)),
            color=alt.Color(
                "verdict:N",
                scale=alt.Scale(
                    domain=["pass", "warn", "fail"],
                    range=[colour("soft"), colour("warn"), colour("bad")],
                ),
                legend=alt.Legend(title=None, orient="bottom"),
            ),
            tooltip=[
                alt.Tooltip("rule:N", title="Rule"),
                alt.Tooltip("rows_failed:Q", title="Rows", format=","),
                alt.Tooltip("failed_share:Q", title="Share", format=".2%"),
                alt.Tooltip("verdict:N", title="Verdict"),
            ],
        )
    )
    return _sized(chart)


def age_bands(segments: SegmentScale) -> alt.Chart:
    """Show customers per age band, stacked by segment."""
    chart = (
        alt.Chart(alt.NamedData("age_bands"))
        .mark_bar(stroke=colour("page"), strokeWidth=0.5)
        .encode(
            x=alt.X(
                "age_band:N",
                title="Age",
                sort=alt.EncodingSortField("age_band_number", op="min"),
                axis=alt.Axis(
                    labelAngle=0,
                    labelOverlap=False,
                    labelExpr="replace(replace(datum.label, ' and over', '+'), 'under ', '<')",
                ),
            ),
            y=alt.Y("sum(customers):Q", title="Customers"),
            color=segments.colour(),
            tooltip=[
                alt.Tooltip("age_band:N", title="Age"),
                alt.Tooltip("segment_key:N", title="Segment"),
                alt.Tooltip("sum(customers):Q", title="Customers", format=","),
            ],
        )
    )
    return _sized(chart)


def genders_by_segment(segments: SegmentScale, genders: Sequence[str]) -> alt.Chart:
    """Share of the genders in every segment."""
    chart = (
        alt.Chart(alt.NamedData("age_bands"))
        .mark_bar(stroke=colour("page"), strokeWidth=1)
        .encode(
            y=segments.axis(),
            x=alt.X(
                "sum(customers):Q",
                stack="normalize",
                title="Share of the segment",
                axis=alt.Axis(format="%"),
            ),
            color=_genders(genders, legend=True, field="gender"),
            tooltip=[
                alt.Tooltip("segment_key:N", title="Segment"),
                alt.Tooltip("gender:N", title="Gender"),
                alt.Tooltip("sum(customers):Q", title="Customers", format=","),
            ],
        )
    )
    return _sized(chart)


def agreement(segments: SegmentScale, rows: Sequence[str]) -> alt.LayerChart:
    """How the clusters of every other algorithm spread over the segments."""
    base = alt.Chart(alt.NamedData("agreement")).encode(
        x=alt.X(
            "segment_key:N",
            sort=segments.keys,
            title=None,
            axis=alt.Axis(orient="top", labelAngle=0),
        ),
        y=alt.Y("row:N", sort=list(rows), title=None, axis=alt.Axis(labelLimit=260, ticks=False)),
        tooltip=[
            alt.Tooltip("row:N", title="Cluster"),
            alt.Tooltip("segment_key:N", title="Segment"),
            alt.Tooltip("customers:Q", title="Customers", format=","),
            alt.Tooltip("share:Q", title="Share of the cluster", format=".0%"),
        ],
    )
    cells = base.mark_rect(stroke=colour("page"), strokeWidth=1).encode(
        color=segments.colour(),
        opacity=alt.Opacity(
            "share:Q", scale=alt.Scale(domain=[0, 1], range=[0.06, 0.4]), legend=None
        ),
    )
    text = base.mark_text(fontSize=11, color=colour("ink")).encode(
        text=alt.Text("customers:Q", format=",")
    )
    return _sized(alt.layer(cells, text), 40 + 22 * max(len(rows), 1))


def dendrogram(segments: SegmentScale) -> alt.LayerChart:
    """Ward's tree of the customers, its last merges; the colour is the segment of most of them."""
    x = alt.X("x:Q", axis=None, scale=alt.Scale(zero=False, nice=False))
    edges = (
        alt.Chart(alt.NamedData("tree_lines"))
        .mark_line(strokeWidth=2)
        .encode(
            x=x,
            y=alt.Y("y:Q", title="Ward distance of the merge"),
            detail="node:N",
            order="step:Q",
            color=segments.colour(legend=True),
        )
    )
    leaves = (
        alt.Chart(alt.NamedData("tree_leaves"))
        .mark_point(filled=True, opacity=1, size=60)
        .encode(
            x=x,
            y="y:Q",
            color=segments.colour(legend=True),
            shape=segments.shape(legend=True),
            tooltip=[
                alt.Tooltip("segment_key:N", title="Most customers of"),
                alt.Tooltip("customers:Q", title="Customers", format=","),
            ],
        )
    )
    return _sized(alt.layer(edges, leaves), 320)


def drift() -> alt.LayerChart:
    """Every measure of drift as a share of the value that raises an alarm."""
    base = (
        alt.Chart(alt.NamedData("drift"))
        .transform_calculate(
            of_alarm="datum.value / datum.alarm_from",
            what="replace(datum.measure, /_/g, ' ') + ', ' + replace(datum.subject, /_/g, ' ')",
        )
        .encode(
            y=alt.Y("what:N", title=None, axis=alt.Axis(labelLimit=320)),
            tooltip=[
                alt.Tooltip("what:N", title="Measure"),
                alt.Tooltip("value:Q", format=".4f"),
                alt.Tooltip("watch_from:Q", title="Watch from"),
                alt.Tooltip("alarm_from:Q", title="Alarm from"),
                alt.Tooltip("verdict:N"),
            ],
        )
    )
    tint = alt.Color(
        "verdict:N",
        scale=alt.Scale(
            domain=["stable", "watch", "alarm"],
            range=[colour("good"), colour("warn"), colour("bad")],
        ),
        legend=alt.Legend(title=None, orient="bottom"),
    )
    bars = base.mark_bar(height=8, clip=True).encode(
        x=alt.X(
            "of_alarm:Q",
            title="Share of the value that raises an alarm",
            axis=alt.Axis(format="%"),
            scale=alt.Scale(domainMin=0, domainMax=alt.Undefined, nice=True),
        ),
        color=tint,
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(x="of_alarm:Q", color=tint)
    return _sized(alt.layer(_reference(1.0, "x"), bars, points), 300)


def history(segments: SegmentScale) -> alt.Chart:
    """Share of every segment from build to build."""
    chart = (
        alt.Chart(alt.NamedData("history"))
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(filled=True, size=60))
        .encode(
            x=alt.X("segmented_at:T", title="Build"),
            y=alt.Y("customer_share:Q", title="Share of all customers", axis=alt.Axis(format="%")),
            color=segments.colour(legend=True),
            tooltip=[
                alt.Tooltip("segment_name:N", title="Segment"),
                alt.Tooltip("segmented_at:T", title="Build", format="%Y-%m-%d %H:%M"),
                alt.Tooltip("customers:Q", title="Customers", format=","),
                alt.Tooltip("customer_share:Q", title="Share", format=".1%"),
                alt.Tooltip("verdict:N", title="Verdict"),
            ],
        )
    )
    return _sized(chart)


def migrations() -> alt.LayerChart:
    """Show customers by the segment they were in and the one they are in now."""
    base = alt.Chart(alt.NamedData("migrations")).encode(
        x=alt.X("to_segment_key:N", title="Now in", axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y("from_segment_key:N", title="Before in"),
        tooltip=[
            alt.Tooltip("from_segment_key:N", title="Before in"),
            alt.Tooltip("to_segment_key:N", title="Now in"),
            alt.Tooltip("customers:Q", title="Customers", format=","),
            alt.Tooltip("customer_share:Q", title="Share of the segment before", format=".1%"),
        ],
    )
    cells = base.mark_rect(color=colour("accent"), stroke=colour("page"), strokeWidth=2).encode(
        fillOpacity=alt.FillOpacity(
            "customer_share:Q", scale=alt.Scale(domain=[0, 1], range=[0.05, 0.5]), legend=None
        )
    )
    text = base.mark_text(fontSize=13, color=colour("ink")).encode(
        text=alt.Text("customers:Q", format=",")
    )
    return _sized(alt.layer(cells, text))


def configuration() -> dict[str, Any]:
    """Return the look that all charts share, as the config of Vega-Lite."""
    axis = {
        "labelColor": colour("muted"),
        "titleColor": colour("ink"),
        "titleFontWeight": 500,
        "titlePadding": 10,
        "domainColor": colour("line"),
        "tickColor": colour("line"),
        "gridColor": colour("line"),
        "gridOpacity": 0.6,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelFlush": False,
        "labelOverlap": "greedy",
    }
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": axis,
        "axisBand": {"grid": False},
        "legend": {"labelColor": colour("ink"), "labelFontSize": 12, "symbolSize": 90},
        "aria": False,
    }


def _feature(name: str) -> alt.X:
    return alt.X(f"{name}:Q", title=label(name), scale=alt.Scale(zero=False, nice=True))


def _genders(genders: Sequence[str], *, legend: bool, field: str = "group_key") -> alt.Color:
    tints = [colour(role) for role in ("ink", "soft", "accent", "warn")]
    return alt.Color(
        f"{field}:N",
        scale=alt.Scale(domain=list(genders), range=tints[: len(genders)]),
        legend=alt.Legend(title=None, orient="bottom") if legend else None,
    )


def _sign(field: str) -> Any:
    return alt.condition(
        f"datum.{field} >= 0", alt.value(colour("above")), alt.value(colour("below"))
    )


def _matrix_axis(channel: type, field: str, order: Sequence[str]) -> Any:
    is_x = channel is alt.X
    return channel(
        f"{field}:N",
        title=None,
        sort=list(order),
        axis=alt.Axis(
            orient="top" if is_x else "left",
            labelAngle=0,
            ticks=False,
            labelExpr=_label_expression(),
            labelLimit=150,
        ),
    )


def _label_expression() -> str:
    """Short names of features and columns, as a Vega expression."""
    short = {
        "customer_id": "customer",
        "gender": "gender",
        "age": "age",
        "annual_income_k_usd": "income",
        "spending_score": "score",
    }
    return f"({json.dumps(short)})[datum.label] || datum.label"


def _reference(value: float, channel: str = "y") -> alt.Chart:
    """Return a dashed line at a value."""
    return (
        alt.Chart(alt.InlineData(values=[{"reference": value}]))
        .mark_rule(strokeDash=[5, 4], strokeWidth=1.5, color=colour("ink"))
        .encode(**{channel: alt.X("reference:Q") if channel == "x" else alt.Y("reference:Q")})
    )


def _sized(chart: Any, height: int = HEIGHT) -> Any:
    return chart.properties(width="container", height=height)
