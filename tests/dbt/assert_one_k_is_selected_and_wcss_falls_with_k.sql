-- Fails if the panel does not select exactly one row, or more clusters fit worse than fewer.
with
    compared as (
        select
            feature_set,
            k,
            wcss,
            lag(wcss) over (partition by feature_set order by k) as wcss_of_fewer
        from {{ ref("k_selection") }}
    )

select feature_set, k, 'wcss rises' as problem
from compared
where wcss > wcss_of_fewer * (1 + 1e-9)

union all

select max(feature_set), sum(case when is_selected then 1 else 0 end), 'not one selected row'
from {{ ref("k_selection") }}
having count(*) > 0 and sum(case when is_selected then 1 else 0 end) <> 1
