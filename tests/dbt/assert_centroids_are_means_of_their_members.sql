-- Fails if a centroid of a model that this build fitted is not the mean of its feature over the
-- customers of its segment. A stored model that goes on serving has the means of its own time.
with
    member_values as ({{ unpivot_features(ref("customer_segments"), ["segment_key"]) }}),

    members as (
        select segment_key, feature, avg(value) as mean
        from member_values
        group by segment_key, feature
    )

select
    segment_centroids.segment_key,
    segment_centroids.feature,
    segment_centroids.centroid,
    members.mean
from {{ ref("segment_centroids") }} as segment_centroids
left join
    members
    on segment_centroids.segment_key = members.segment_key
    and segment_centroids.feature = members.feature
where
    (select max(model_id) from {{ ref("segmentation_quality") }}) = {{ build_id() }}
    and coalesce(abs(segment_centroids.centroid - members.mean) > 1e-9, true)
