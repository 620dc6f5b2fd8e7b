with
    customer_segment_history as (select * from {{ ref("customer_segment_history") }}),

    int_build as (select * from {{ ref("int_build") }}),

    segment_history as (select * from {{ ref("segment_history") }}),

    previous_build as (
        select segment_history.build_id as previous_build_id
        from segment_history
        inner join int_build on segment_history.segmented_at < int_build.segmented_at
        order by segment_history.segmented_at desc
        limit 1
    ),

    -- Rows that this build closed were open before it.
    before_build as (
        select customer_segment_history.customer_id, customer_segment_history.segment_key
        from customer_segment_history
        inner join int_build on customer_segment_history.dbt_valid_from < int_build.segmented_at
        where
            customer_segment_history.dbt_valid_to is null
            or customer_segment_history.dbt_valid_to >= int_build.segmented_at
    ),

    after_build as (
        select customer_id, segment_key from customer_segment_history where dbt_valid_to is null
    ),

    moved as (
        select
            before_build.segment_key as from_segment_key,
            after_build.segment_key as to_segment_key,
            count(*) as customers
        from before_build
        full outer join after_build on before_build.customer_id = after_build.customer_id
        group by before_build.segment_key, after_build.segment_key
    ),

    final as (
        select
            int_build.build_id,
            int_build.segmented_at,
            previous_build.previous_build_id,
            moved.from_segment_key,
            moved.to_segment_key,
            moved.customers,
            cast(moved.customers as double)
            / sum(moved.customers) over (partition by moved.from_segment_key) as customer_share
        from moved
        cross join previous_build
        cross join int_build
    )

select *
from final
order by from_segment_key, to_segment_key
