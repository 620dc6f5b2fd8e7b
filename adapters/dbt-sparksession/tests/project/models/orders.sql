{{
    config(
        materialized="table",
        contract={"enforced": true},
        persist_docs={"relation": true, "columns": true},
    )
}}
select order_id, customer, cast(amount as double) as amount
from {{ ref("raw_orders") }}
