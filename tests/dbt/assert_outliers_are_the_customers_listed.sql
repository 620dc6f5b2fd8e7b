-- Fails if a rule counts other customers than those it lists.
with
    listed as (
        select feature, rule, count(*) as customers
        from {{ ref("outlier_customers") }}
        group by feature, rule
    ),

    outliers as (select * from {{ ref("outliers") }})

select outliers.feature, outliers.rule, outliers.customers, listed.customers as listed_customers
from outliers
left join listed on outliers.feature = listed.feature and outliers.rule = listed.rule
where outliers.customers <> coalesce(listed.customers, 0)
