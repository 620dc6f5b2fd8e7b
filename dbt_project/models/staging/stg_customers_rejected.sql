with
    stg_customers_parsed as (select * from {{ ref("stg_customers_parsed") }}),

    final as (
        select line_number, customer_id, reasons, raw_record,
        from stg_customers_parsed
        where reasons is not null
    )

select *
from final
order by line_number
