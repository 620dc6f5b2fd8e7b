-- Fails if a customer is nearer to another published centroid than to its own, or its distance,
-- runner-up or margin is not what the published centroids say.
with
    customer_values as (
        {{
            unpivot_features(
                ref("customer_segments"), ["customer_id"], var("segmentation_features")
            )
        }}
    ),

    coordinates as (
        select
            customer_values.customer_id,
            customer_values.feature,
            (customer_values.value - scaling.mean) / scaling.scale as scaled
        from customer_values
        inner join
            (select distinct feature, mean, scale from {{ ref("int_segment_model") }}) as scaling
            on customer_values.feature = scaling.feature
    ),

    distances as (
        select
            coordinates.customer_id,
            segment_centroids.segment_key,
            sqrt(
                sum(
                    (coordinates.scaled - segment_centroids.centroid_scaled)
                    * (coordinates.scaled - segment_centroids.centroid_scaled)
                )
            ) as distance
        from coordinates
        inner join
            {{ ref("segment_centroids") }} as segment_centroids
            on coordinates.feature = segment_centroids.feature
        group by coordinates.customer_id, segment_centroids.segment_key
    ),

    ranked as (
        select
            *,
            row_number() over (partition by customer_id order by distance, segment_key) as nearness
        from distances
    ),

    expected as (
        select
            customer_id,
            max(case when nearness = 1 then distance end) as nearest,
            max(case when nearness = 2 then distance end) as second_nearest
        from ranked
        where nearness <= 2
        group by customer_id
    ),

    published as (
        select
            customer_segments.customer_id,
            customer_segments.distance_to_centroid,
            customer_segments.runner_up_segment_key,
            customer_segments.assignment_margin,
            own.distance as own_distance,
            runner_up.distance as runner_up_distance,
            expected.nearest,
            expected.second_nearest
        from {{ ref("customer_segments") }} as customer_segments
        inner join expected on customer_segments.customer_id = expected.customer_id
        left join
            distances as own
            on customer_segments.customer_id = own.customer_id
            and customer_segments.segment_key = own.segment_key
        left join
            distances as runner_up
            on customer_segments.customer_id = runner_up.customer_id
            and customer_segments.runner_up_segment_key = runner_up.segment_key
    )

select *
from published
where
    coalesce(abs(own_distance - nearest) > 1e-9, true)
    or coalesce(abs(distance_to_centroid - nearest) > 1e-9, true)
    or coalesce(abs(runner_up_distance - second_nearest) > 1e-9, second_nearest is not null)
    or (second_nearest is null) <> (runner_up_segment_key is null)
    or coalesce(
        abs(assignment_margin - (1 - nearest / nullif(second_nearest, 0))) > 1e-9,
        second_nearest > 0
    )
