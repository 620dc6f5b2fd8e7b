with
    segment_history as (select * from {{ ref("segment_history") }}),

    covered as (
        select
            cast(min(segmented_at) as date) as first_date,
            cast(max(segmented_at) as date) as last_date
        from segment_history
    ),

    listed as ({{ days_between("covered", "first_date", "last_date") }}),

    final as (select cast(day_at as date) as day_date from listed)

select *
from final
order by day_date
