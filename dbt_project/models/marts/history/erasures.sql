{#- `mall-segments forget` appends the rows; a build only sees to it that the table is there. -#}
select
    cast(null as timestamp) as erased_at,
    cast(null as bigint) as customers_asked,
    cast(null as bigint) as customers_found,
    cast(null as bigint) as rows_in_warehouse,
    cast(null as bigint) as rows_in_published,
    cast(null as bigint) as rows_in_kept_builds,
    cast(null as bigint) as rows_in_exports,
    cast(null as bigint) as rows_in_development
from (select 1 as one) as nothing
where one = 0
