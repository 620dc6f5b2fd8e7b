with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    final as (
        {%- for feature in profile_features() %}
            select
                '{{ feature }}' as feature,
                {{ feature }} as value,
                segment_key,
                gender,
                count(*) as customers
            from ml_customer_segments
            group by {{ feature }}, segment_key, gender
            {%- if not loop.last %}
                union all
            {%- endif %}
        {%- endfor %}
    )

select *
from final
