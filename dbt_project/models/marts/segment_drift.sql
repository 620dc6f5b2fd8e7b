with
    int_drift_baseline as (select * from {{ ref("int_drift_baseline") }}),

    int_segment_statistics as (select * from {{ ref("int_segment_statistics") }}),

    int_customer_groups as (select * from {{ ref("int_customer_groups") }}),

    int_feature_values as (select * from {{ ref("int_feature_values") }}),

    int_build as (select * from {{ ref("int_build") }}),

    newest as (
        select max(registered_at) as registered_at
        from int_drift_baseline
        where feature_set = '{{ segmentation_feature_set() }}'
    ),

    baseline as (
        select int_drift_baseline.*
        from int_drift_baseline
        inner join newest on int_drift_baseline.registered_at = newest.registered_at
        where int_drift_baseline.feature_set = '{{ segmentation_feature_set() }}'
    ),

    feature_bins as (
        select
            baseline.feature as subject,
            baseline.customers as baseline_customers,
            coalesce(sum(int_feature_values.customers), 0) as customers
        from baseline
        left join
            int_feature_values
            on baseline.feature = int_feature_values.feature
            and (baseline.above is null or int_feature_values.value > baseline.above)
            and (baseline.up_to is null or int_feature_values.value <= baseline.up_to)
        where baseline.kind = 'feature'
        group by baseline.feature, baseline.above, baseline.up_to, baseline.customers
    ),

    baseline_mix as (
        select segment_key, max(customers) as customers
        from baseline
        where kind = 'segment'
        group by segment_key
    ),

    current_mix as (
        select segment_key, sum(customers) as customers
        from int_customer_groups
        group by segment_key
    ),

    mix_bins as (
        select
            'segment_mix' as subject,
            coalesce(baseline_mix.customers, 0) as baseline_customers,
            coalesce(current_mix.customers, 0) as customers
        from baseline_mix
        full outer join current_mix on baseline_mix.segment_key = current_mix.segment_key
    ),

    all_bins as (
        select subject, baseline_customers, customers
        from feature_bins
        union all
        select subject, baseline_customers, customers
        from mix_bins
    ),

    -- Half a customer in every bin keeps the logarithm of an empty one finite.
    padded as (
        select
            subject,
            cast(baseline_customers as double) + 0.5 as baseline_customers,
            cast(customers as double) + 0.5 as customers
        from all_bins
    ),

    shares as (
        select
            subject,
            baseline_customers / sum(baseline_customers) over (partition by subject) as expected,
            customers / sum(customers) over (partition by subject) as found
        from padded
    ),

    population_stability as (
        select
            'population_stability_index' as measure,
            subject,
            {{ exact_sum("(found - expected) * ln(found / expected)") }} as value
        from shares
        group by subject
    ),

    centroid_shift as (
        select
            'centroid_shift' as measure,
            baseline.segment_key as subject,
            sqrt(
                {{
                    exact_sum(
                        "(int_segment_statistics.mean - baseline.mean) / baseline.scale"
                        " * (int_segment_statistics.mean - baseline.mean) / baseline.scale"
                    )
                }}
            ) as value
        from baseline
        inner join
            int_segment_statistics
            on baseline.segment_key = int_segment_statistics.segment_key
            and baseline.feature = int_segment_statistics.feature
        where
            baseline.kind = 'segment'
            and baseline.feature in ('{{ var("segmentation_features") | join("', '") }}')
        group by baseline.segment_key
    ),

    out_of_domain as (
        select
            'out_of_domain_share' as measure,
            'customers' as subject,
            sum(case when is_out_of_domain then customers else 0 end)
            / cast(sum(customers) as double) as value
        from int_customer_groups
        having count(*) > 0
    ),

    judged as (
        select measure, subject, value, 0.1 as watch_from, 0.25 as alarm_from
        from population_stability
        union all
        select measure, subject, value, 0.25, 0.5
        from centroid_shift
        union all
        select measure, subject, value, 0.01, 0.05
        from out_of_domain
    ),

    baseline_build as (
        select max(baseline_build_id) as baseline_build_id, max(registered_at) as registered_at
        from baseline
    ),

    final as (
        select
            int_build.build_id,
            judged.measure,
            judged.subject,
            judged.value,
            cast(judged.watch_from as double) as watch_from,
            cast(judged.alarm_from as double) as alarm_from,
            {{ drift_verdict("judged.value", "judged.watch_from", "judged.alarm_from") }}
            as verdict,
            baseline_build.baseline_build_id,
            baseline_build.registered_at as baseline_registered_at
        from judged
        cross join baseline_build
        cross join int_build
    )

select *
from final
order by measure, subject
