with
    int_customer_features as (select * from {{ ref('int_customer_features') }}),

    means as (
        select
            count(*) as customers,
            {%- for feature in profile_features() %}
            {{ exact_sum(feature) }} / count(*) as {{ feature }}_mean,
            {%- endfor %}
        from int_customer_features
    ),

    {% for feature in profile_features() -%}
    {{ feature }}_statistics as (
        select
            '{{ feature }}' as feature,
            count(*) as customers,
            min(means.{{ feature }}_mean) as mean,
            sqrt(
                {{
                    exact_sum(
                        '(' ~ feature ~ ' - means.' ~ feature ~ '_mean)'
                        ~ ' * (' ~ feature ~ ' - means.' ~ feature ~ '_mean)'
                    )
                }} / count(*)
            ) as standard_deviation,
            min({{ feature }}) as minimum,
            {{ quantile(feature, 0.10) }} as p10,
            {{ quantile(feature, 0.25) }} as p25,
            {{ quantile(feature, 0.50) }} as median,
            {{ quantile(feature, 0.75) }} as p75,
            {{ quantile(feature, 0.90) }} as p90,
            max({{ feature }}) as maximum,
        from int_customer_features
        cross join means
        having count(*) > 0
    ),

    {% endfor -%}
    statistics as (
        {%- for feature in profile_features() %}
        select *
        from {{ feature }}_statistics
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ),

    -- A constant feature tells nobody apart; scale 1 keeps it at 0 instead of dividing by zero.
    final as (
        select
            feature,
            customers,
            mean,
            standard_deviation,
            case when standard_deviation > 0 then standard_deviation else 1 end as scale,
            minimum,
            p10,
            p25,
            median,
            p75,
            p90,
            maximum,
        from statistics
    )

select *
from final
