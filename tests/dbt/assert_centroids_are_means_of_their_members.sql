-- Fails if a centroid of a model that this build fitted is not the mean of its feature over the
-- customers of its segment. Where too many vectors are distinct (docs/large-data.md) the fit may
-- end
-- a step earlier: where going on to the means would lower the WCSS by less than a millionth.
-- A stored model that goes on serving has the means of its own time.
with
    member_values as ({{ unpivot_features(ref("customer_segments"), ["segment_key"]) }}),

    members as (
        select segment_key, feature, count(*) as customers, avg(value) as mean
        from member_values
        group by segment_key, feature
    ),

    compared as (
        select
            segment_centroids.segment_key,
            segment_centroids.feature,
            segment_centroids.centroid,
            members.mean,
            members.customers * power(
                (segment_centroids.centroid - members.mean) / int_feature_scaling.scale, 2
            ) as step
        from {{ ref("segment_centroids") }} as segment_centroids
        left join
            members
            on segment_centroids.segment_key = members.segment_key
            and segment_centroids.feature = members.feature
        left join
            {{ ref("int_feature_scaling") }} as int_feature_scaling
            on segment_centroids.feature = int_feature_scaling.feature
    ),

    points as (
        select count(*) as vectors, sum(customers) as customers from {{ ref("int_feature_points") }}
    ),

    allowed as (
        select
            case
                when points.vectors <= 524288
                then 0
                when points.vectors <= 2000000 and 4 * points.vectors <= points.customers
                then 0
                else 1e-6 * segmentation_quality.wcss
            end as step
        from {{ ref("segmentation_quality") }} as segmentation_quality
        cross join points
        where segmentation_quality.model_id = {{ build_id() }}
    ),

    total as (select sum(step) as step from compared)

select compared.segment_key, compared.feature, compared.centroid, compared.mean
from compared
cross join allowed
cross join total
where
    compared.mean is null
    or (abs(compared.centroid - compared.mean) > 1e-9 and total.step > allowed.step)
