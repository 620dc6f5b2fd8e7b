with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    int_feature_scaling as (select * from {{ ref("int_feature_scaling") }}),

    int_segment_names as (select * from {{ ref("int_segment_names") }}),

    segments as (
        select
            segment_key,
            count(*) as customers,
            sum(case when gender = 'Female' then 1 else 0 end) as female_customers,
            {%- for feature in profile_features() %}
                {{ exact_sum(feature) }} / count(*) as {{ feature }}_mean,
                {{ quantile(feature, 0.50) }} as {{ feature }}_median,
                {{ exact_stddev(feature) }} as {{ feature }}_stddev,
                {{ quantile(feature, 0.10) }} as {{ feature }}_p10,
                {{ quantile(feature, 0.90) }} as {{ feature }}_p90{{ "," if not loop.last }}
            {%- endfor %}
        from ml_customer_segments
        group by segment_key
    ),

    population as (
        select
            max(customers) as customers,
            {%- for feature in profile_features() %}
                max(
                    case when feature = '{{ feature }}' then mean end
                ) as {{ feature }}_mean{{ "," if not loop.last }}
            {%- endfor %}
        from int_feature_scaling
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
                segments.{{ feature }}_mean,
                segments.{{ feature }}_median,
                segments.{{ feature }}_stddev,
                segments.{{ feature }}_p10,
                segments.{{ feature }}_p90,
                100
                * segments.{{ feature }}_mean
                / population.{{ feature }}_mean as {{ feature }}_index,
            {%- endfor %}
            cast(segments.female_customers as double) / segments.customers as female_share
        from segments
        inner join int_segment_names on segments.segment_key = int_segment_names.segment_key
        cross join population
    )

select *
from final
order by customers desc, segment_key
