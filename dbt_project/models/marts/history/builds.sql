{#- A build is logged once every other mart, and every test on it, is done. -#}
{%- for mart in [
    "assignment_reasons",
    "customer_segments",
    "days",
    "k_selection",
    "model_runs",
    "segment_centroids",
    "segment_drift",
    "segment_history",
    "segment_migrations",
    "segment_profiles",
    "segment_registry",
    "segment_rules",
    "segment_traits",
    "segment_trust",
] %}
-- depends_on: {{ ref(mart) }}
{%- endfor %}
{%- if var("publish_customers") is not boolean %}
    {%- do exceptions.raise_compiler_error(
        "publish_customers: " ~ var("publish_customers") ~ ", expected true or false"
    ) %}
{%- endif %}
with
    segmentation_quality as (select * from {{ ref("segmentation_quality") }}),

    data_quality_summary as (select * from {{ ref("data_quality_summary") }}),

    final as (
        select
            segmentation_quality.build_id,
            segmentation_quality.segmented_at,
            cast(null as timestamp) as published_at,
            {{ seconds_since("segmentation_quality.segmented_at") }} as duration_seconds,
            segmentation_quality.input_fingerprint,
            data_quality_summary.rows_checked as rows_read,
            data_quality_summary.rows_failed as rows_rejected,
            segmentation_quality.customers,
            {{ "true" if var("publish_customers") else "false" }} as publishes_customers,
            segmentation_quality.feature_set,
            segmentation_quality.k,
            segmentation_quality.wcss,
            segmentation_quality.silhouette,
            segmentation_quality.stability_jaccard,
            segmentation_quality.engine_version,
            segmentation_quality.dbt_version,
            segmentation_quality.scikit_learn_version,
            segmentation_quality.mall_segments_version
        from segmentation_quality
        inner join
            data_quality_summary on segmentation_quality.build_id = data_quality_summary.build_id
        where data_quality_summary.rule = 'rejected_rows'
    )

select *
from final
{% if is_incremental() -%} where build_id not in (select build_id from {{ this }}) {%- endif %}
