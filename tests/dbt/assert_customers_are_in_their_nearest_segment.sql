-- Fails if a customer is nearer to another published centroid than to its own or its runner-up, or
-- its distance or margin is not what the published centroids say. With `appended` the new customers
-- are looked at; the same model assigned the others, in builds that looked at them.
{%- set features = var("segmentation_features") -%}
{%- set distance_to = {} -%}
{%- for segment in ["own", "runner_up", "other"] -%}
    {%- set squares = [] -%}
    {%- for feature in features -%}
        {%- set difference = (
            "(customers." ~ feature ~ "_scaled - " ~ segment ~ "." ~ feature ~ ")"
        ) -%}
        {%- do squares.append(difference ~ " * " ~ difference) -%}
    {%- endfor -%}
    {%- do distance_to.update({segment: "sqrt(" ~ squares | join(" + ") ~ ")"}) -%}
{%- endfor %}
with
    scaling as (
        select
            {%- for feature in features %}
                max(case when feature = '{{ feature }}' then mean end) as {{ feature }}_mean,
                max(case when feature = '{{ feature }}' then scale end) as {{ feature }}_scale,
            {%- endfor %}
            count(distinct segment_key) as segments
        from {{ ref("int_segment_model") }}
    ),

    centroids as (
        select
            {%- for feature in features %}
                max(case when feature = '{{ feature }}' then centroid_scaled end) as {{ feature }},
            {%- endfor %}
            segment_key
        from {{ ref("segment_centroids") }}
        group by segment_key
    ),

    customers as (
        select
            customer_segments.*,
            {%- for feature in features %}
                (customer_segments.{{ feature }} - scaling.{{ feature }}_mean)
                / scaling.{{ feature }}_scale as {{ feature }}_scaled,
            {%- endfor %}
            scaling.segments
        from {{ ref("customer_segments") }} as customer_segments
        cross join scaling
        {%- if var("appended") %}
            where
                customer_segments.customer_id
                in (select customer_id from {{ ref("int_customer_assignments") }})
        {%- endif %}
    ),

    compared as (
        select
            customers.customer_id,
            customers.segment_key,
            customers.runner_up_segment_key,
            customers.distance_to_centroid,
            customers.assignment_margin,
            customers.segments,
            other.segment_key as other_segment_key,
            {{ distance_to["own"] }} as own_distance,
            {{ distance_to["runner_up"] }} as runner_up_distance,
            {{ distance_to["other"] }} as other_distance
        from customers
        cross join centroids as other
        left join centroids as own on customers.segment_key = own.segment_key
        left join centroids as runner_up on customers.runner_up_segment_key = runner_up.segment_key
    )

select *
from compared
where
    coalesce(abs(distance_to_centroid - own_distance) > 1e-9, true)
    or other_distance < own_distance - 1e-9
    or (
        other_segment_key <> segment_key
        and coalesce(other_distance < runner_up_distance - 1e-9, true)
    )
    or coalesce(runner_up_segment_key = segment_key, segments > 1)
    or coalesce(
        abs(assignment_margin - (1 - own_distance / nullif(runner_up_distance, 0))) > 1e-9,
        runner_up_distance > 0
    )
