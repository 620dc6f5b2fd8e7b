"""A small app on the published segments, to start yours from: `make app`.

Whenever a viewer touches something, Streamlit runs this file from top to bottom. Each run opens the
published file and closes it: all that it shows is of one build, the next run shows the newest, and
no build waits for a viewer.
"""

import os
import re
import tempfile
from contextlib import closing
from pathlib import Path

import altair as alt
import duckdb
import streamlit as st

PUBLISHED = os.environ.get("MALL_SEGMENTS_PUBLISHED") or "published/mall_segments.duckdb"
# Your words, and your colours: these differ for colour-blind viewers, on white and on black.
FEATURES = {"annual_income_k_usd": "Income (k$)", "spending_score": "Spending score", "age": "Age"}
CRITERIA = {"silhouette": "Silhouette", "stability_jaccard": "Stability", "wcss": "WCSS"}
COLORS = ["#2a7fb8", "#d55e00", "#00916e", "#b5588f", "#a67c00", "#7568c4", "#5f7f8c"]
# More customers than MOST_POINTS are not drawn one by one, but counted on a grid.
MOST_POINTS, GRID, MOST_ROWS = 5_000, 40, 100
CHOSEN = """from customer_segments
    where list_contains($keys, segment_key) and list_contains($genders, gender)"""


def open_published():
    """Attach the newest file; duckdb.connect(PUBLISHED) would share what another run has open."""
    connection = duckdb.connect()
    path = PUBLISHED.replace("'", "''")
    connection.execute(f"attach '{path}' as published (read_only); use published.marts")
    return connection


def show(query):
    """Show the page, section by section: leave out, move, add."""
    segments = query("from segment_profiles order by segment_key")
    if segments.empty:
        return st.info("The published build has no customers. Build again with some.")
    segments["label"] = segments.segment_key + " " + segments.segment_name
    segments["color"] = [COLORS[place % len(COLORS)] for place in range(len(segments))]
    model = query("from segmentation_quality").iloc[0]
    built = f"build {model.build_id[:8]} of {model.segmented_at:%d %B %Y, %H:%M} UTC"
    st.caption(f"{model.customers:,} customers in {model.k} segments, {built}")
    chosen, filters = choose(query, segments)
    found = query(f"select count(*) as customers, avg(columns({[*FEATURES]})) {CHOSEN}", **filters)
    count = int(found.customers[0])
    if not count:
        return st.info("No customer is all that. Take a filter off.")
    figures = {"Customers": f"{count:,}", "Share of all": f"{count / model.customers:.1%}"}
    figures |= {f"Mean {FEATURES[name].lower()}": f"{found[name][0]:.1f}" for name in FEATURES}
    for column, (label, figure) in zip(st.columns(len(figures)), figures.items(), strict=True):
        column.metric(plain(label), figure, border=True)
    show_cards(chosen)
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_map(query, chosen, filters, count, model.feature_set.split(", "))
        look_up(query)
    with right:
        show_traits(query, chosen)
        show_choice_of_k(query, model)
    return show_customers(query, filters, count)


def choose(query, segments):
    """Let the viewer choose; none in a row is all of it."""
    genders = [*query("select distinct gender from customer_segments order by all").gender]
    tiers = [tier for tier in ("high", "medium", "low") if tier in {*segments.value_tier}]
    with st.sidebar:
        st.header("Show only", anchor=False)
        labels = st.pills("Segment", segments.label, selection_mode="multi", format_func=plain)
        tiers = st.pills("Value", tiers, selection_mode="multi") or tiers
        genders = st.pills("Gender", genders, selection_mode="multi") or genders
    is_chosen = segments.label.isin(labels or segments.label) & segments.value_tier.isin(tiers)
    return segments[is_chosen], {"keys": [*segments[is_chosen].segment_key], "genders": genders}


def show_cards(chosen):
    """Show who each segment is, and what to do for it."""
    st.header("Who they are, and what to do", anchor=False)
    for start in range(0, len(chosen), 3):
        for column, segment in zip(st.columns(3), chosen[start:].itertuples(), strict=False):
            with column.container(border=True, height="stretch"):
                st.html(f'<div style="height: 4px; background: {segment.color}"></div>')
                st.markdown(f"**{plain(segment.label)}**")
                size = f"{segment.customers:,} customers, {segment.customer_share:.1%}"
                st.caption(f"{size}, {segment.female_share:.0%} women, {segment.value_tier} value")
                st.markdown(plain(segment.recommended_action))


def show_map(query, chosen, filters, count, used):
    """Draw the customers over two features, at first over those that make the segments."""
    st.header("Where they are", anchor=False)
    names = sorted(FEATURES, key=lambda name: name not in used)
    across, up = st.columns(2)
    x = across.selectbox("Across", names, format_func=FEATURES.get)
    y = up.selectbox("Up", [name for name in names if name != x], format_func=FEATURES.get)
    place = {x: x, y: y}
    if count > MOST_POINTS:
        span = f"(max(columns({[x, y]})) - min(columns({[x, y]}))) / {GRID}"
        steps = query(f"select {span} {CHOSEN}", **filters).iloc[0]
        place = {n: f"round({n} / {s or 1}) * {s or 1}" for n, s in zip(place, steps, strict=True)}
    points = query(
        f"""select segment_key, {place[x]} as x, {place[y]} as y, count(*) as customers,
            min(customer_id) as for_example {CHOSEN} group by all order by all""",
        **filters,
    ).merge(chosen[["segment_key", "label"]])
    named = alt.selection_point(fields=["label"], bind="legend")
    legend = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=0, symbolOpacity=1)
    sizes = alt.Scale(domain=[1, max(20, points.customers.max())], range=[50, 500])
    label = alt.Scale(domain=[*chosen.label], range=[*chosen.color])
    places = alt.Chart(points).encode(
        alt.X("x:Q", title=FEATURES[x], scale=alt.Scale(zero=False)),
        alt.Y("y:Q", title=FEATURES[y], scale=alt.Scale(zero=False)),
        alt.Color("label:N", legend=legend, scale=label),
        alt.Shape("label:N", legend=legend, scale=alt.Scale(domain=[*chosen.label])),
        alt.Size("customers:Q", legend=None, scale=sizes),
        opacity=alt.when(named).then(alt.value(0.85)).otherwise(alt.value(0.1)),
        tooltip=["label", "x", "y", "customers", "for_example"],
    )
    means = alt.Chart(chosen).encode(x=f"{x}_mean:Q", y=f"{y}_mean:Q", text="segment_key:N")
    halo = means.mark_text(fontSize=18, fontWeight="bold", stroke="white", strokeWidth=5)
    keys = means.mark_text(fontSize=18, fontWeight="bold", color="black")
    drawn = places.mark_point(filled=True).add_params(named) + halo + keys
    draw(drawn.interactive(), 430, f"{FEATURES[x]} and {FEATURES[y]} of customers, by segment")
    st.caption("Keys stand at the means. Click a name to highlight, scroll to zoom, drag to move.")


def show_traits(query, chosen):
    """Draw how far each segment is from all customers."""
    st.header("What sets them apart", anchor=False)
    traits = query("from segment_traits order by segment_key, feature")
    traits = traits.merge(chosen[["segment_key"]])
    cells = alt.Chart(traits.assign(title=traits.feature.map(FEATURES))).encode(
        alt.X("title:N", title=None, axis=alt.Axis(labelAngle=0, orient="top", ticks=False)),
        alt.Y("segment_key:N", title=None, axis=alt.Axis(ticks=False)),
        tooltip=["segment_name", "description"],
    )
    color = alt.Color("standardised_difference:Q", legend=None)
    shades = cells.mark_rect().encode(color.scale(scheme="blueorange", domain=[-3, 3], clamp=True))
    means = cells.mark_text(fontSize=14).encode(alt.Text("segment_mean:Q", format=".1f"))
    draw(shades + means, 330, "Mean of each feature in each segment")
    st.caption("Means of whole segments: orange above all customers, blue below.")


def show_choice_of_k(query, model):
    """Draw a criterion over k, and say why the k that was chosen."""
    st.header(f"Why {model.k} segments", anchor=False)
    by = st.selectbox("Criterion", CRITERIA, format_func=CRITERIA.get)
    tried = query("from k_selection where feature_set = $used", used=model.feature_set)
    base = alt.Chart(tried.dropna(subset=[by])).encode(
        alt.X("k:O", axis=alt.Axis(labelAngle=0)),
        alt.Y(f"{by}:Q", title=CRITERIA[by], scale=alt.Scale(zero=False)),
        tooltip=["k", by, "selection_reason"],
    )
    line = base.mark_line(color=COLORS[0], point={"color": COLORS[0], "size": 50})
    ring = base.transform_filter("datum.is_selected").mark_point(color=COLORS[1], size=250)
    draw(line + ring, 220, f"{CRITERIA[by]} by number of segments; {model.k} was chosen")
    st.caption(plain(" ".join(tried[tried.is_selected].selection_reason)))


def look_up(query):
    """Say which segment a customer is in, how sure that is, and why."""
    st.header("Look up a customer", anchor=False)
    number = st.number_input("Customer number", value=None, step=1, placeholder="For example 42")
    rows = query(
        """select me.segment_key || ' ' || me.segment_name as label, concat_ws('; ',
            format('{:.0f}% of refits to resampled customers agree', 100 * assignment_probability),
            'next would be ' || runner_up.segment_name,
            format('margin {:.2f}, of 0 on the border to 1 at the centre', assignment_margin),
            if(is_out_of_domain, 'unlike all that the segments were made from', null)) as how_sure,
            (select string_agg('- ' || description, chr(10) order by contribution desc)
            from assignment_reasons where customer_id = $number) as reasons
        from customer_segments as me left join segment_profiles as runner_up
        on runner_up.segment_key = runner_up_segment_key where customer_id = $number""",
        number=number,
    )
    for customer in rows.itertuples():
        st.markdown(f"**{plain(customer.label)}**: {plain(customer.how_sure)}.")
        st.markdown(plain(customer.reasons or "No reasons are kept for so many customers."))
    if number is not None and rows.empty:
        st.warning(f"No customer {number} is in a segment.")


def show_customers(query, filters, count):
    """List those whose places are least certain, and offer all as a file."""
    st.header("Customers", anchor=False)
    st.caption(f"The {min(count, MOST_ROWS)} least certain of {count:,}.")
    rows = f"""select customer_id, segment_key, segment_name, assignment_margin, value_tier, gender,
        {", ".join(FEATURES)} {CHOSEN} order by assignment_margin, customer_id"""
    st.dataframe(query(f"{rows} limit {MOST_ROWS}", **filters), hide_index=True)

    def as_csv():  # Runs on a click, after this run has closed its connection.
        with closing(open_published()) as connection, tempfile.TemporaryDirectory() as folder:
            connection.sql(rows, params=filters).write_csv(f"{folder}/customers.csv")
            return Path(folder, "customers.csv").read_bytes()

    st.download_button(f"Download {count:,} customers", as_csv, "customers.csv", "text/csv")


def draw(chart, height, about):
    """Draw a chart, with words for those who do not see it."""
    st.altair_chart(chart.properties(height=height, description=about))


def plain(text):
    """Escape Streamlit's Markdown, to which `15 k$ or 20 k$` is a formula."""
    return re.sub(r"([\\`*_\[\]$:<>#~])", r"\\\1", text)


st.set_page_config("Customer segments", layout="wide")
st.title("Customer segments", anchor=False)
try:
    with closing(open_published()) as connection:
        show(lambda sql, **values: connection.execute(sql, values).df())
except duckdb.Error as error:
    st.error(f"`{PUBLISHED}` cannot be read. `mall-segments build` makes it.")
    st.code(str(error), language=None)
