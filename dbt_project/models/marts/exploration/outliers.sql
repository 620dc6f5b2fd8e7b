{#- Makes the median absolute deviation of a normal distribution its standard deviation. -#}
{%- set normal_quartile = 0.6745 -%}
with
    int_feature_values as (select * from {{ ref("int_feature_values") }}),

    feature_summaries as (select * from {{ ref("feature_summaries") }} where breakdown = 'all'),

    deviations as (
        select
            int_feature_values.feature,
            abs(int_feature_values.value - feature_summaries.median) as value,
            cast(sum(int_feature_values.customers) as bigint) as customers
        from int_feature_values
        inner join feature_summaries on int_feature_values.feature = feature_summaries.feature
        group by
            int_feature_values.feature, abs(int_feature_values.value - feature_summaries.median)
    ),

    placed as (
        select
            *,
            cast(sum(customers) over (partition by feature) as bigint) as group_customers,
            cast(
                sum(customers) over (partition by feature order by value) as bigint
            ) as customers_up_to
        from deviations
    ),

    median_deviations as (
        select feature, {{ quantile_of_counts(0.50) }} as median_deviation
        from placed
        group by feature
    ),

    reaches as (
        select feature, 'tukey_1.5' as rule, p25 as low, p75 as high, 1.5 * (p75 - p25) as reach
        from feature_summaries
        union all
        select feature, 'tukey_3', p25, p75, 3 * (p75 - p25)
        from feature_summaries
        union all
        select feature, 'z_score_3', mean, mean, 3 * stddev
        from feature_summaries
        union all
        select
            feature_summaries.feature,
            'modified_z_score_3.5',
            feature_summaries.median,
            feature_summaries.median,
            3.5 * median_deviations.median_deviation / {{ normal_quartile }}
        from feature_summaries
        inner join median_deviations on feature_summaries.feature = median_deviations.feature
    ),

    -- Where a rule finds no spread, all that is not the usual value would be beyond its bounds.
    bounds as (
        select
            feature,
            rule,
            case when reach > 0 then low - reach end as lower_bound,
            case when reach > 0 then high + reach end as upper_bound
        from reaches
    ),

    counted as (
        select
            bounds.feature,
            bounds.rule,
            bounds.lower_bound,
            bounds.upper_bound,
            cast(sum(int_feature_values.customers) as bigint) as all_customers,
            cast(
                sum(
                    case
                        when int_feature_values.value < bounds.lower_bound
                        then int_feature_values.customers
                        else 0
                    end
                ) as bigint
            ) as customers_below,
            cast(
                sum(
                    case
                        when int_feature_values.value > bounds.upper_bound
                        then int_feature_values.customers
                        else 0
                    end
                ) as bigint
            ) as customers_above
        from bounds
        inner join int_feature_values on bounds.feature = int_feature_values.feature
        group by bounds.feature, bounds.rule, bounds.lower_bound, bounds.upper_bound
    ),

    final as (
        select
            feature,
            rule,
            lower_bound,
            upper_bound,
            customers_below,
            customers_above,
            customers_below + customers_above as customers,
            (customers_below + customers_above) / cast(all_customers as double) as share
        from counted
    )

select *
from final
order by feature, rule
