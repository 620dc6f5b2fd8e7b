{%- set features = var("segmentation_features") | join(", ") %}

with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    -- Which vectors have a low rank is as good as chance and does not depend on the others' order.
    final as (
        select
            segment_key,
            {{ features }},
            count(*) as customers,
            cast(
                row_number() over (
                    order by {{ row_hash(var("segmentation_features")) }}, {{ features }}
                ) as bigint
            ) as hash_rank
        from ml_customer_segments
        group by segment_key, {{ features }}
    )

select *
from final
