with
    int_customer_features as (select * from {{ ref("int_customer_features") }}),

    final as (
        select
            {%- for feature in profile_features() %} {{ feature }}, {%- endfor %}
            count(*) as customers
        from int_customer_features
        group by {{ profile_features() | join(", ") }}
    )

select *
from final
