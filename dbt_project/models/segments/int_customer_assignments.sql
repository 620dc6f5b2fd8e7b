{{ config(materialized="view") }}

with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    final as (
        select
            customer_id,
            segment_key,
            {{ segmented_at() }} as segmented_at,
            {{ build_id() }} as build_id
        from ml_customer_segments
        {%- if var("appended") %} where build_id = {{ build_id() }} {%- endif %}
    )

select *
from final
