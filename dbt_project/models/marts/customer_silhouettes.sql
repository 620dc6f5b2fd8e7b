with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    ml_point_silhouettes as (select * from {{ ref("ml_point_silhouettes") }}),

    final as (
        select
            ml_customer_segments.customer_id,
            ml_customer_segments.segment_key,
            ml_point_silhouettes.silhouette,
            ml_point_silhouettes.nearest_other_segment_key
        from ml_customer_segments
        inner join
            ml_point_silhouettes
            on {% for feature in var("segmentation_features") -%}
                {%- if not loop.first %} and {% endif -%}
                ml_customer_segments.{{ feature }} = ml_point_silhouettes.{{ feature }}
            {%- endfor %}
    )

select *
from final
order by customer_id
