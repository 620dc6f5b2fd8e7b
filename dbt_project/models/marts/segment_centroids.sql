with
    int_segment_statistics as (select * from {{ ref("int_segment_statistics") }}),

    final as (
        select segment_key, feature, mean as centroid, standardised_difference as centroid_scaled,
        from int_segment_statistics
        where feature in ('{{ var("segmentation_features") | join("', '") }}')
    )

select *
from final
order by segment_key, feature
