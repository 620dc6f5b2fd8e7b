-- Fails if a raw row is lost, or is both a customer and in quarantine.
with
    staged as (
        select line_number
        from {{ ref("stg_customers") }}
        union all
        select line_number
        from {{ ref("stg_customers_rejected") }}
    )

select
    raw_customers.line_number as raw_line_number,
    staged.line_number as staged_line_number,
    count(*) as times
from {{ ref("raw_customers") }} as raw_customers
full outer join staged on raw_customers.line_number = staged.line_number
group by raw_customers.line_number, staged.line_number
having count(*) <> 1 or raw_customers.line_number is null or staged.line_number is null
