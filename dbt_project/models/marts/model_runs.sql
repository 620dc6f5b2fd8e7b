with
    ml_segment_models as (select * from {{ ref("ml_segment_models") }}),

    int_segment_model as (select * from {{ ref("int_segment_model") }}),

    serving as (select distinct model_id from int_segment_model),

    runs as (
        select
            model_id,
            fitted_at,
            feature_set,
            k,
            customers,
            wcss,
            silhouette,
            adjusted_rand_index,
            is_promoted,
            decision,
            min(segment_jaccard) as weakest_segment_jaccard,
            min(case when segment_number is not null then segment_customers end)
            / cast(customers as double) as smallest_segment_share
        from ml_segment_models
        group by
            model_id,
            fitted_at,
            feature_set,
            k,
            customers,
            wcss,
            silhouette,
            adjusted_rand_index,
            is_promoted,
            decision
    ),

    final as (
        select
            runs.model_id,
            runs.fitted_at,
            runs.feature_set,
            runs.k,
            runs.customers,
            runs.wcss,
            runs.silhouette,
            runs.weakest_segment_jaccard,
            runs.smallest_segment_share,
            runs.adjusted_rand_index,
            runs.is_promoted,
            serving.model_id is not null as is_serving,
            runs.decision
        from runs
        left join serving on runs.model_id = serving.model_id
    )

select *
from final
order by fitted_at, model_id
