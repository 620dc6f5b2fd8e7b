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
            on {{ same_features("ml_customer_segments", "ml_point_silhouettes") }}
    )

select *
from final
order by customer_id
