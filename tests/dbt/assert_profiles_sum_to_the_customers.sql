-- Fails if the segments do not hold every accepted customer once, or their shares do not sum to 1.
with
    accepted as (select count(*) as customers from {{ ref("stg_customers") }}),

    profiled as (
        select coalesce(sum(customers), 0) as customers, coalesce(sum(customer_share), 1) as share
        from {{ ref("segment_profiles") }}
    ),

    segmented as (select count(*) as customers from {{ ref("customer_segments") }})

select
    accepted.customers as accepted_customers,
    profiled.customers as profiled_customers,
    segmented.customers as segmented_customers,
    profiled.share
from accepted
cross join profiled
cross join segmented
where
    accepted.customers <> profiled.customers
    or accepted.customers <> segmented.customers
    or abs(profiled.share - 1) > 1e-9
