{%- set features = var("segmentation_features") | join(", ") %}

with
    int_customer_groups as (select * from {{ ref("int_customer_groups") }}),

    -- Which vectors have a low rank is as good as chance and does not depend on the others' order.
    final as (
        select
            segment_key,
            {{ features }},
            cast(sum(customers) as bigint) as customers,
            cast(
                row_number() over (
                    order by {{ row_hash(var("segmentation_features")) }}, {{ features }}
                ) as bigint
            ) as hash_rank
        from int_customer_groups
        group by segment_key, {{ features }}
    )

select *
from final
