{#- Names and probabilities of all may change with a few new customers, and a view writes nothing anew.
    What is published is a table. -#}
{%- set is_view = var("appended") and target.name != "prod" -%}
{{ config(materialized="view" if is_view else "table") }}

with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    int_segment_names as (select * from {{ ref("int_segment_names") }}),

    ml_assignment_probabilities as (select * from {{ ref("ml_assignment_probabilities") }}),

    final as (
        select
            ml_customer_segments.customer_id,
            ml_customer_segments.gender,
            cast(ml_customer_segments.age as integer) as age,
            ml_customer_segments.annual_income_k_usd,
            cast(ml_customer_segments.spending_score as integer) as spending_score,
            ml_customer_segments.segment_key,
            int_segment_names.segment_name,
            int_segment_names.value_tier,
            ml_customer_segments.distance_to_centroid,
            ml_customer_segments.runner_up_segment_key,
            ml_customer_segments.assignment_margin,
            ml_assignment_probabilities.assignment_probability,
            ml_customer_segments.is_out_of_domain,
            {{ segmented_at() }} as segmented_at,
            {{ build_id() }} as build_id
        from ml_customer_segments
        inner join
            int_segment_names on ml_customer_segments.segment_key = int_segment_names.segment_key
        left join
            ml_assignment_probabilities
            on {{ same_features("ml_customer_segments", "ml_assignment_probabilities") }}
    )

select *
from final
{% if not is_view -%} order by customer_id {%- endif %}
