{%- set shares = {"p10": 0.10, "p25": 0.25, "median": 0.50, "p75": 0.75, "p90": 0.90} -%}
with
    int_feature_points as (select * from {{ ref("int_feature_points") }}),

    -- Few values among millions of customers, so nothing below looks at every customer.
    counted as (
        {%- for feature in profile_features() %}
            select '{{ feature }}' as feature, {{ feature }} as value, sum(customers) as customers
            from int_feature_points
            group by {{ feature }}
            {%- if not loop.last %}
                union all
            {%- endif %}
        {%- endfor %}
    ),

    placed as (
        select
            *,
            sum(customers) over (partition by feature order by value) as customers_up_to,
            sum(customers) over (partition by feature) as group_customers
        from counted
    ),

    means as (
        select
            feature,
            cast(sum(customers) as bigint) as customers,
            {{ exact_sum("customers * value") }} / sum(customers) as mean,
            min(value) as minimum,
            {%- for name, share in shares.items() %}
                {{ quantile_of_counts(share) }} as {{ name }},
            {%- endfor %}
            max(value) as maximum
        from placed
        group by feature
    ),

    deviations as (
        select
            counted.feature,
            sqrt(
                {{ exact_sum("counted.customers * (value - mean) * (value - mean)") }}
                / sum(counted.customers)
            ) as standard_deviation
        from counted
        inner join means on counted.feature = means.feature
        group by counted.feature
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
            -- The interquartile range of a normal distribution is 1.349 standard deviations; where
            -- half of the customers have one value there is none, but perhaps a deviation.
            case
                when means.p75 > means.p25
                then (means.p75 - means.p25) / 1.349
                when deviations.standard_deviation > 0
                then deviations.standard_deviation
                else 1
            end as robust_scale,
            means.minimum,
            {%- for name in shares %} means.{{ name }}, {%- endfor %}
            means.maximum
        from means
        inner join deviations on means.feature = deviations.feature
    )

select *
from final
