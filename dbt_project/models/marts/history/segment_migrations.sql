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

    stays as (
        select
            customer_segment_history.customer_id,
            customer_segment_history.segment_key,
            customer_segment_history.dbt_valid_from >= int_build.segmented_at as is_opened,
            customer_segment_history.dbt_valid_to is not null as is_closed
        from customer_segment_history
        cross join int_build
        where
            customer_segment_history.dbt_valid_to is null
            or customer_segment_history.dbt_valid_to >= int_build.segmented_at
    ),

    -- Most customers stay where they are. What this build closed and opened are few rows to join.
    stayed as (
        select segment_key as from_segment_key, segment_key as to_segment_key
        from stays
        where not is_opened and not is_closed
    ),

    closed as (select * from stays where is_closed and not is_opened),

    opened as (select * from stays where is_opened and not is_closed),

    changed as (
        select closed.segment_key as from_segment_key, opened.segment_key as to_segment_key
        from closed
        full outer join opened on closed.customer_id = opened.customer_id
    ),

    moves as (
        select *
        from stayed
        union all
        select *
        from changed
    ),

    moved as (
        select from_segment_key, to_segment_key, count(*) as customers
        from moves
        group by from_segment_key, to_segment_key
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
