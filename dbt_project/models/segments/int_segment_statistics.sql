with
    ml_customer_segments as (select * from {{ ref('ml_customer_segments') }}),

    int_feature_scaling as (select * from {{ ref('int_feature_scaling') }}),

    segment_means as (
        {%- for feature in profile_features() %}
        select
            segment_key,
            '{{ feature }}' as feature,
            count(*) as customers,
            {{ exact_sum(feature) }} / count(*) as mean,
        from ml_customer_segments
        group by segment_key
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ),

    final as (
        select
            segment_means.segment_key,
            segment_means.feature,
            segment_means.customers,
            segment_means.mean,
            int_feature_scaling.mean as population_mean,
            (segment_means.mean - int_feature_scaling.mean)
            / int_feature_scaling.scale as standardised_difference,
        from segment_means
        inner join int_feature_scaling on segment_means.feature = int_feature_scaling.feature
    )

select *
from final
