with
    int_customer_groups as (select * from {{ ref("int_customer_groups") }}),

    final as (
        {%- for feature in profile_features() %}
            select
                '{{ feature }}' as feature,
                {{ feature }} as value,
                segment_key,
                gender,
                cast(sum(customers) as bigint) as customers
            from int_customer_groups
            group by {{ feature }}, segment_key, gender
            {%- if not loop.last %}
                union all
            {%- endif %}
        {%- endfor %}
    )

select *
from final
