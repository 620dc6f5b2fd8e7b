with
    int_customer_groups as (select * from {{ ref("int_customer_groups") }}),

    int_feature_scaling as (select * from {{ ref("int_feature_scaling") }}),

    member_values as ({{ unpivot_features("int_customer_groups", ["segment_key", "customers"]) }}),

    segment_means as (
        select
            segment_key,
            feature,
            cast(sum(customers) as bigint) as customers,
            {{ exact_sum("customers * value") }} / sum(customers) as mean
        from member_values
        group by segment_key, feature
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
            (segment_means.mean - int_feature_scaling.median)
            / int_feature_scaling.robust_scale as robust_difference
        from segment_means
        inner join int_feature_scaling on segment_means.feature = int_feature_scaling.feature
    )

select *
from final
