{%- set features = profile_features() | join(", ") -%}
with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    -- What depends on the values alone is the same in the whole group.
    final as (
        select
            gender,
            {{ features }},
            segment_key,
            max(distance_to_centroid) as distance_to_centroid,
            max(case when is_out_of_domain then 1 else 0 end) = 1 as is_out_of_domain,
            count(*) as customers,
            sum({{ row_hash(["customer_id", "gender"] + profile_features()) }}) as row_hashes
        from ml_customer_segments
        group by gender, {{ features }}, segment_key
    )

select *
from final
