with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    -- The hash is as good as chance and stays with the customer from build to build.
    final as (
        select
            customer_id,
            segment_key,
            {%- for feature in profile_features() %}
                {{ feature }}{{ "," if not loop.last }}
            {%- endfor %}
        from ml_customer_segments
        order by {{ row_hash(["customer_id"]) }}, customer_id
        limit {{ compared_customers() }}
    )

select *
from final
