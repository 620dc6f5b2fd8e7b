{%- set keys = ["gender"] + profile_features() + ["segment_key"] -%}
with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    members as (
        select
            {{ keys | join(", ") }},
            distance_to_centroid,
            is_out_of_domain,
            1 as customers,
            {{ row_hash(["customer_id", "gender"] + profile_features()) }} as row_hashes,
            line_number as last_line_number
        from ml_customer_segments
        {%- if is_appended() %}
            where {{ after_the_last("last_line_number") }}
            union all
            select
                {{ keys | join(", ") }},
                distance_to_centroid,
                is_out_of_domain,
                customers,
                row_hashes,
                last_line_number
            from {{ this }}
        {%- endif %}
    ),

    -- What depends on the values alone is the same in the whole group.
    final as (
        select
            {{ keys | join(", ") }},
            max(distance_to_centroid) as distance_to_centroid,
            max(case when is_out_of_domain then 1 else 0 end) = 1 as is_out_of_domain,
            cast(sum(customers) as bigint) as customers,
            sum(row_hashes) as row_hashes,
            max(last_line_number) as last_line_number
        from members
        group by {{ keys | join(", ") }}
    )

select *
from final
