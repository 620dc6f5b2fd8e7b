-- Fails if the bins of a group do not hold all its customers, or its shares do not sum to 1.
with
    distributed as (
        select feature, breakdown, group_key, sum(customers) as customers, sum(share) as share
        from {{ ref("feature_distributions") }}
        group by feature, breakdown, group_key
    ),

    summarised as (select * from {{ ref("feature_summaries") }})

select
    summarised.feature,
    summarised.breakdown,
    summarised.group_key,
    summarised.customers,
    distributed.customers as distributed_customers,
    distributed.share
from summarised
full outer join
    distributed
    on summarised.feature = distributed.feature
    and summarised.breakdown = distributed.breakdown
    and summarised.group_key = distributed.group_key
where
    coalesce(summarised.customers <> distributed.customers, true)
    or abs(distributed.share - 1) > 1e-9
