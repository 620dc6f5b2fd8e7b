with
    ml_segment_candidates as (select * from {{ ref("ml_segment_candidates") }}),

    final as (
        select
            feature_set,
            k,
            wcss,
            silhouette,
            silhouette_standard_error,
            calinski_harabasz,
            davies_bouldin,
            gap,
            gap_standard_error,
            stability_jaccard,
            is_elbow,
            is_selected,
            selection_reason
        from ml_segment_candidates
    )

select *
from final
order by feature_set, k
