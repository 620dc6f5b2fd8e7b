with
    int_build as (select * from {{ ref("int_build") }}),

    int_feature_scaling as (select * from {{ ref("int_feature_scaling") }}),

    int_segment_statistics as (select * from {{ ref("int_segment_statistics") }}),

    int_feature_values as (select * from {{ ref("int_feature_values") }}),

    counted_values as (
        select feature, value, cast(sum(customers) as bigint) as customers
        from int_feature_values
        group by feature, value
    ),

    placed_values as (
        select
            *,
            sum(customers) over (partition by feature order by value) as customers_up_to,
            sum(customers) over (partition by feature) as group_customers
        from counted_values
    ),

    deciles as (
        {%- for share in ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"] %}
            select feature, {{ quantile_of_counts(share) }} as edge
            from placed_values
            group by feature
            {% if not loop.last %}
                union
            {% endif %}
        {%- endfor %}
    ),

    -- A value on an edge belongs to the bin below it.
    bins as (
        select feature, lag(edge) over (partition by feature order by edge) as above, edge as up_to
        from deciles
        union all
        select feature, max(edge), null
        from deciles
        group by feature
    ),

    counted as (
        select
            bins.feature,
            bins.above,
            bins.up_to,
            cast(coalesce(sum(counted_values.customers), 0) as bigint) as customers
        from bins
        left join
            counted_values
            on bins.feature = counted_values.feature
            and (bins.above is null or counted_values.value > bins.above)
            and (bins.up_to is null or counted_values.value <= bins.up_to)
        group by bins.feature, bins.above, bins.up_to
    ),

    rows_of_baseline as (
        select
            'feature' as kind,
            counted.feature,
            cast(null as {{ dbt.type_string() }}) as segment_key,
            counted.above,
            counted.up_to,
            counted.customers,
            int_feature_scaling.mean,
            int_feature_scaling.scale
        from counted
        inner join int_feature_scaling on counted.feature = int_feature_scaling.feature
        union all
        select
            'segment' as kind,
            int_segment_statistics.feature,
            int_segment_statistics.segment_key,
            null as above,
            null as up_to,
            int_segment_statistics.customers,
            int_segment_statistics.mean,
            int_feature_scaling.scale
        from int_segment_statistics
        inner join
            int_feature_scaling on int_segment_statistics.feature = int_feature_scaling.feature
    ),

    final as (
        select
            int_build.build_id as baseline_build_id,
            int_build.segmented_at as registered_at,
            '{{ segmentation_feature_set() }}' as feature_set,
            rows_of_baseline.kind,
            rows_of_baseline.feature,
            rows_of_baseline.segment_key,
            rows_of_baseline.above,
            rows_of_baseline.up_to,
            rows_of_baseline.customers,
            rows_of_baseline.mean,
            rows_of_baseline.scale
        from rows_of_baseline
        cross join int_build
    )

select *
from final
{% if is_incremental() and not var("update_baseline") -%}
    where feature_set not in (select feature_set from {{ this }})
{%- endif %}
