with
    int_build as (select * from {{ ref("int_build") }}),

    int_segment_model as (select * from {{ ref("int_segment_model") }}),

    ml_segment_models as (select * from {{ ref("ml_segment_models") }}),

    segment_profiles as (select * from {{ ref("segment_profiles") }}),

    {% if is_incremental() -%}
        previous as (
            select segment_key, max_by(segment_name, segmented_at) as segment_name
            from {{ this }}
            where feature_set = '{{ segmentation_feature_set() }}'
            group by segment_key
        ),
    {%- else -%}
        previous as (
            select
                cast(null as {{ dbt.type_string() }}) as segment_key,
                cast(null as {{ dbt.type_string() }}) as segment_name
            where false
        ),
    {%- endif %}

    serving as (
        select distinct model_id, segment_key, verdict, related_segment_keys, feature_set
        from int_segment_model
    ),

    -- A stored model that goes on serving keeps its segments, whatever its fit found at its time.
    served as (
        select
            serving.segment_key,
            serving.model_id,
            serving.feature_set,
            case
                when serving.model_id = int_build.build_id then serving.verdict else 'kept'
            end as verdict,
            case
                when serving.model_id = int_build.build_id then serving.related_segment_keys
            end as related_segment_keys
        from serving
        cross join int_build
    ),

    gone as (
        select distinct
            ml_segment_models.segment_key,
            ml_segment_models.model_id,
            ml_segment_models.feature_set,
            ml_segment_models.verdict,
            ml_segment_models.related_segment_keys
        from ml_segment_models
        inner join int_build on ml_segment_models.model_id = int_build.build_id
        where ml_segment_models.is_promoted and ml_segment_models.segment_number is null
    ),

    segments as (
        select segment_key, model_id, feature_set, verdict, related_segment_keys
        from served
        union all
        select segment_key, model_id, feature_set, verdict, related_segment_keys
        from gone
    ),

    final as (
        select
            int_build.build_id,
            int_build.segmented_at,
            segments.model_id,
            segments.feature_set,
            segments.segment_key,
            coalesce(segment_profiles.segment_name, previous.segment_name) as segment_name,
            segments.verdict,
            segments.related_segment_keys,
            previous.segment_name as previous_segment_name,
            coalesce(segment_profiles.segment_name <> previous.segment_name, false) as is_renamed,
            coalesce(segment_profiles.customers, 0) as customers,
            coalesce(segment_profiles.customer_share, 0) as customer_share,
            {%- for feature in profile_features() %}
                segment_profiles.{{ feature }}_mean{{ "," if not loop.last }}
            {%- endfor %}
        from segments
        cross join int_build
        left join segment_profiles on segments.segment_key = segment_profiles.segment_key
        left join previous on segments.segment_key = previous.segment_key
    )

select *
from final
order by segment_key
