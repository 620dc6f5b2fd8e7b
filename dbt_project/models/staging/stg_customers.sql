{{ config(materialized="view") }}

with
    stg_customers_parsed as (select * from {{ ref("stg_customers_parsed") }}),

    final as (
        select
            customer_id, line_number, gender, gender_note, age, annual_income_k_usd, spending_score
        from stg_customers_parsed
        where reasons is null
    )

select *
from final
