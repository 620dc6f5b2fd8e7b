with
    int_feature_values as (select * from {{ ref("int_feature_values") }}),

    counted as {{ computed_once() }} (
        {{ by_breakdown("int_feature_values", ["feature", "value"]) }}
    ),

    placed as (
        select
            *,
            cast(
                sum(customers) over (partition by feature, breakdown, group_key) as bigint
            ) as group_customers,
            cast(
                sum(customers) over (
                    partition by feature, breakdown, group_key order by value
                ) as bigint
            ) as customers_up_to,
        from counted
    ),

    centres as (
        select
            feature,
            breakdown,
            group_key,
            cast(sum(customers) as bigint) as customers,
            {{ exact_sum("customers * value") }} / sum(customers) as mean,
            min(value) as minimum,
            {{ quantile_of_counts(0.10) }} as p10,
            {{ quantile_of_counts(0.25) }} as p25,
            {{ quantile_of_counts(0.50) }} as median,
            {{ quantile_of_counts(0.75) }} as p75,
            {{ quantile_of_counts(0.90) }} as p90,
            max(value) as maximum,
            count(*) as distinct_values,
        from placed
        group by feature, breakdown, group_key
    ),

    deviations as (
        select
            counted.feature,
            counted.breakdown,
            counted.group_key,
            counted.customers,
            counted.value - centres.mean as deviation,
        from counted
        inner join
            centres
            on counted.feature = centres.feature
            and counted.breakdown = centres.breakdown
            and counted.group_key = centres.group_key
    ),

    moments as (
        select
            feature,
            breakdown,
            group_key,
            {{ exact_sum("customers * deviation * deviation") }} as squares,
            {{ exact_sum("customers * deviation * deviation * deviation") }} as cubes,
        from deviations
        group by feature, breakdown, group_key
    ),

    -- Skewness in the adjusted form of Fisher and Pearson (Joanes and Gill 1998), as in pandas.
    final as (
        select
            centres.feature,
            centres.breakdown,
            centres.group_key,
            centres.customers,
            centres.mean,
            case
                when centres.customers > 1 then sqrt(moments.squares / (centres.customers - 1))
            end as stddev,
            centres.minimum,
            centres.p10,
            centres.p25,
            centres.median,
            centres.p75,
            centres.p90,
            centres.maximum,
            case
                when centres.customers > 2 and centres.distinct_values > 1
                then
                    sqrt(cast(centres.customers as double) * (centres.customers - 1))
                    / (centres.customers - 2)
                    * (moments.cubes / centres.customers)
                    / power(moments.squares / centres.customers, 1.5)
            end as skewness,
            centres.distinct_values,
        from centres
        inner join
            moments
            on centres.feature = moments.feature
            and centres.breakdown = moments.breakdown
            and centres.group_key = moments.group_key
    )

select *
from final
order by feature, breakdown, group_key
