{%- set columns = ["customer_id", "line_number", "segment_key"] + profile_features() -%}
{%- set is_full = "count(*) >= " ~ compared_customers() -%}
with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    -- Whom a full sample left out stays out: the hashes of those in it are smaller.
    considered as (
        select {{ columns | join(", ") }}
        from ml_customer_segments
        {%- if is_appended() %}
            where
                line_number > (
                    select case when {{ is_full }} then coalesce(max(line_number), 0) else 0 end
                    from {{ this }}
                )
            union all
            select {{ columns | join(", ") }}
            from {{ this }}
            where (select {{ is_full }} from {{ this }})
        {%- endif %}
    ),

    -- The hash is as good as chance and stays with the customer from build to build.
    final as (
        select *
        from considered
        order by {{ row_hash(["customer_id"]) }}, customer_id
        limit {{ compared_customers() }}
    )

select *
from final
