{{ config(severity="warn") }}
{#- Warns if a segment is smaller than min_segment_share. dbt prints only how many rows there are, so
which segment, who is in it and what to do is said beside it. -#}
{%- set small_segments -%}
    select
        segment_profiles.segment_key,
        segment_profiles.customers,
        segment_profiles.customer_share,
        customer_segments.customer_id,
        customer_segments.age,
        customer_segments.annual_income_k_usd,
        customer_segments.spending_score
    from {{ ref("segment_profiles") }} as segment_profiles
    inner join
        {{ ref("customer_segments") }} as customer_segments
        on segment_profiles.segment_key = customer_segments.segment_key
    where segment_profiles.customer_share < {{ var("min_segment_share") }}
{%- endset %}
{%- set told = [] %}
{%- if execute and flags.WHICH in ("build", "test") %}
    {%- for row in run_query(small_segments ~ " order by 1, 4 limit 1000").rows if row[0] not in told %}
        {%- do told.append(row[0]) %}
        {%- do exceptions.warn(
            "Segment %s holds %d of %d customers (%.1f %%, at least %.1f %% are expected), such as customer %s: "
            "age %s, annual income %s k$, spending score %s. See marts.outlier_customers; correct or leave "
            "out what is wrong, or set min_segment_share."
            % (
                row[0],
                row[1],
                (row[1] / row[2]) | round,
                100 * row[2],
                100 * var("min_segment_share"),
                row[3],
                row[4],
                row[5],
                row[6],
            )
        ) %}
    {%- endfor %}
{%- endif %}
{{ small_segments }}
