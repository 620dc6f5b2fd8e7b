-- Who could as well be in another segment? The ten customers nearest to a border.
select
    customer_segments.customer_id,
    customer_segments.segment_name,
    runner_up.segment_name as runner_up_segment_name,
    round(customer_segments.assignment_margin, 3) as assignment_margin
from {{ ref("customer_segments") }} as customer_segments
inner join
    {{ ref("segment_profiles") }} as runner_up
    on customer_segments.runner_up_segment_key = runner_up.segment_key
order by customer_segments.assignment_margin, customer_segments.customer_id
limit 10
