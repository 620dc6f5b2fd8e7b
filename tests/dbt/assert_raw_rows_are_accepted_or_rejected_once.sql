-- Fails if a raw row is lost, or is both a customer and in quarantine.
with
    seen as (
        select line_number, 1 as raw_rows, 0 as staged_rows
        from {{ ref("raw_customers") }}

        union all

        select line_number, 0 as raw_rows, 1 as staged_rows
        from {{ ref("stg_customers") }}

        union all

        select line_number, 0 as raw_rows, 1 as staged_rows
        from {{ ref("stg_customers_rejected") }}
    )

select line_number, sum(raw_rows) as raw_rows, sum(staged_rows) as staged_rows
from seen
group by line_number
having sum(raw_rows) <> 1 or sum(staged_rows) <> 1 or line_number is null
