with
    ml_customer_segments as (select * from {{ ref("ml_customer_segments") }}),

    ml_segment_candidates as (select * from {{ ref("ml_segment_candidates") }}),

    assignments as (
        select
            count(*) as customers,
            {{ exact_sum("distance_to_centroid * distance_to_centroid") }} as wcss,
            md5(
                cast(
                    sum(
                        {{ row_hash(["customer_id", "gender"] + profile_features()) }}
                    ) as {{ dbt.type_string() }}
                )
            ) as input_fingerprint,
        from ml_customer_segments
    ),

    selected as (select * from ml_segment_candidates where is_selected),

    final as (
        select
            {{ build_id() }} as build_id,
            {{ segmented_at() }} as segmented_at,
            selected.feature_set,
            selected.k,
            assignments.customers,
            assignments.wcss,
            selected.silhouette,
            selected.davies_bouldin,
            selected.calinski_harabasz,
            selected.stability_jaccard,
            selected.restarts,
            selected.restarts_at_best,
            assignments.input_fingerprint,
            {{ engine_version() }} as engine_version,
            '{{ dbt_version }}' as dbt_version,
            selected.scikit_learn_version,
            selected.mall_segments_version,
        from selected
        cross join assignments
    )

select *
from final
