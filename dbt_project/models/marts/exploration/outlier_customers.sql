with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    outliers as (select * from {{ ref("outliers") }}),

    {% for feature in profile_features() %}
        {{ feature }}_outliers as (
            select
                ml_customer_segments.customer_id,
                outliers.feature,
                outliers.rule,
                ml_customer_segments.{{ feature }} as value,
                outliers.lower_bound,
                outliers.upper_bound,
                ml_customer_segments.segment_key
            from ml_customer_segments
            inner join
                outliers
                on ml_customer_segments.{{ feature }} < outliers.lower_bound
                or ml_customer_segments.{{ feature }} > outliers.upper_bound
            where outliers.feature = '{{ feature }}'
        ),
    {% endfor %}

    final as (
        {% for feature in profile_features() %}
            select customer_id, feature, rule, value, lower_bound, upper_bound, segment_key
            from {{ feature }}_outliers
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select *
from final
order by customer_id, feature, rule
