with
    int_customer_groups as (select * from {{ ref("int_customer_groups") }}),

    feature_summaries as (select * from {{ ref("feature_summaries") }}),

    int_segment_names as (select * from {{ ref("int_segment_names") }}),

    segments as (
        select
            segment_key,
            cast(sum(customers) as bigint) as customers,
            sum(case when gender = 'Female' then customers else 0 end) as female_customers
        from int_customer_groups
        group by segment_key
    ),

    -- The statistics of a segment, and the means of all customers, side by side.
    statistics as (
        select
            group_key as segment_key,
            {%- for feature in profile_features() %}
                {%- for name in ["mean", "median", "stddev", "p10", "p90"] %}
                    max(
                        case when feature = '{{ feature }}' then {{ name }} end
                    ) as {{ feature }}_{{ name }},
                {%- endfor %}
            {%- endfor %}
            max(customers) as customers
        from feature_summaries
        where breakdown in ('all', 'segment')
        group by breakdown, group_key
    ),

    final as (
        select
            segments.segment_key,
            int_segment_names.segment_name,
            int_segment_names.value_tier,
            int_segment_names.recommended_action,
            segments.customers,
            cast(segments.customers as double) / population.customers as customer_share,
            {%- for feature in profile_features() %}
                statistics.{{ feature }}_mean,
                statistics.{{ feature }}_median,
                statistics.{{ feature }}_stddev,
                statistics.{{ feature }}_p10,
                statistics.{{ feature }}_p90,
                100
                * statistics.{{ feature }}_mean
                / population.{{ feature }}_mean as {{ feature }}_index,
            {%- endfor %}
            cast(segments.female_customers as double) / segments.customers as female_share
        from segments
        inner join statistics on segments.segment_key = statistics.segment_key
        inner join statistics as population on population.segment_key = 'all'
        inner join int_segment_names on segments.segment_key = int_segment_names.segment_key
    )

select *
from final
order by customers desc, segment_key
