with
    segment_history as (select * from {{ ref("segment_history") }}),

    ranked as (
        select
            *,
            row_number() over (
                partition by feature_set, segment_key order by segmented_at desc
            ) as recency,
            min(segmented_at) over (partition by feature_set, segment_key) as born_at,
            max(case when verdict <> 'retired' and customers > 0 then segmented_at end) over (
                partition by feature_set, segment_key
            ) as last_seen_at,
            {%- for feature in profile_features() %}
                max_by(
                    {{ feature }}_mean,
                    case when {{ feature }}_mean is not null then segmented_at end
                ) over (partition by feature_set, segment_key)
                as last_{{ feature }}_mean{{ "," if not loop.last }}
            {%- endfor %}
        from segment_history
    ),

    final as (
        select
            feature_set,
            segment_key,
            segment_name,
            born_at,
            last_seen_at,
            case
                when customers > 0
                then 'active'
                when verdict = 'merged'
                then 'merged'
                else 'retired'
            end as state,
            {%- for feature in profile_features() %}
                last_{{ feature }}_mean as {{ feature }}_mean{{ "," if not loop.last }}
            {%- endfor %}
        from ranked
        where recency = 1
    )

select *
from final
order by feature_set, born_at, segment_key
