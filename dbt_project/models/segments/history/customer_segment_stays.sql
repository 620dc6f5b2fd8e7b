{{
    config(
        enabled=target.type != "duckdb",
        alias="customer_segment_history",
        materialized="view",
    )
}}

with
    customer_segment_changes as (select * from {{ ref("customer_segment_changes") }}),

    followed as (
        select
            *,
            lead(segmented_at) over (partition by customer_id order by segmented_at) as changed_at
        from customer_segment_changes
    ),

    -- The columns of dbt's snapshots.
    final as (
        select
            customer_id,
            segment_key,
            segmented_at,
            build_id,
            md5(concat_ws('|', customer_id, build_id)) as dbt_scd_id,
            segmented_at as dbt_updated_at,
            segmented_at as dbt_valid_from,
            changed_at as dbt_valid_to
        from followed
        where segment_key is not null
    )

select *
from final
