{{ config(enabled=target.type != "duckdb") }}

with
    int_customer_assignments as (select * from {{ ref("int_customer_assignments") }}),

    int_build as (select * from {{ ref("int_build") }}),

    {% if is_incremental() -%}
        recorded as (
            select
                customer_id,
                segment_key,
                row_number() over (partition by customer_id order by segmented_at desc) as recency
            from {{ this }}
        ),

        known as (select customer_id, segment_key from recorded where recency = 1),
    {%- else -%}
        known as (
            select
                cast(null as bigint) as customer_id,
                cast(null as {{ dbt.type_string() }}) as segment_key
            where false
        ),
    {%- endif %}

    -- A customer who leaves changes to no segment.
    final as (
        select
            coalesce(int_customer_assignments.customer_id, known.customer_id) as customer_id,
            int_customer_assignments.segment_key,
            int_build.segmented_at,
            int_build.build_id
        from int_customer_assignments
        full outer join known on int_customer_assignments.customer_id = known.customer_id
        cross join int_build
        where int_customer_assignments.segment_key is distinct from known.segment_key
    )

select *
from final
