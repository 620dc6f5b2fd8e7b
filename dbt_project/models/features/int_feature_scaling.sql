with
    int_customer_features as (select * from {{ ref("int_customer_features") }}),

    feature_values as ({{ unpivot_features("int_customer_features") }}),

    means as (
        select
            feature,
            count(*) as customers,
            {{ exact_sum("value") }} / count(*) as mean,
            min(value) as minimum,
            {{ quantile("value", 0.10) }} as p10,
            {{ quantile("value", 0.25) }} as p25,
            {{ quantile("value", 0.50) }} as median,
            {{ quantile("value", 0.75) }} as p75,
            {{ quantile("value", 0.90) }} as p90,
            max(value) as maximum,
        from feature_values
        group by feature
    ),

    deviations as (
        select
            feature_values.feature,
            sqrt(
                {{ exact_sum("(value - mean) * (value - mean)") }} / count(*)
            ) as standard_deviation,
        from feature_values
        inner join means on feature_values.feature = means.feature
        group by feature_values.feature
    ),

    -- A constant feature tells nobody apart; scale 1 keeps it at 0 instead of dividing by zero.
    final as (
        select
            means.feature,
            means.customers,
            means.mean,
            deviations.standard_deviation,
            case
                when deviations.standard_deviation > 0 then deviations.standard_deviation else 1
            end as scale,
            means.minimum,
            means.p10,
            means.p25,
            means.median,
            means.p75,
            means.p90,
            means.maximum,
        from means
        inner join deviations on means.feature = deviations.feature
    )

select *
from final
