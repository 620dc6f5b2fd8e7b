with
    int_segment_model as (select * from {{ ref("int_segment_model") }}),

    final as (select segment_key, feature, centroid, centroid_scaled from int_segment_model)

select *
from final
order by segment_key, feature
