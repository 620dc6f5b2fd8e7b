{{ config(materialized="view") }}

with
    stg_customers as (select * from {{ ref("stg_customers") }}),

    final as (
        select
            customer_id,
            line_number,
            gender,
            {%- for feature in profile_features() %}
                cast({{ feature }} as double) as {{ feature }}{{ "," if not loop.last }}
            {%- endfor %}
        from stg_customers
    )

select *
from final
