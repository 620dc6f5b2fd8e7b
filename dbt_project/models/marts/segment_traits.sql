with
    int_segment_statistics as (select * from {{ ref("int_segment_statistics") }}),

    int_segment_names as (select * from {{ ref("int_segment_names") }}),

    weighed as (
        select
            segment_key,
            feature,
            mean,
            population_mean,
            standardised_difference,
            customers * standardised_difference * standardised_difference as between_variance
        from int_segment_statistics
    ),

    shared as (
        select
            *,
            sum(cast(between_variance as decimal(38, 12))) over (
                partition by feature
            ) as between_variance_of_feature
        from weighed
    ),

    ranked as (
        select
            *,
            row_number() over (
                partition by segment_key order by abs(standardised_difference) desc, feature
            ) as trait_rank
        from shared
    ),

    final as (
        select
            ranked.segment_key,
            int_segment_names.segment_name,
            ranked.feature,
            cast(ranked.trait_rank as integer) as trait_rank,
            ranked.mean as segment_mean,
            ranked.population_mean,
            ranked.standardised_difference,
            coalesce(
                ranked.between_variance
                / nullif(cast(ranked.between_variance_of_feature as double), 0),
                0
            ) as between_variance_share,
            concat(
                upper(substr({{ feature_label("ranked.feature") }}, 1, 1)),
                substr({{ feature_label("ranked.feature") }}, 2),
                ' averages ',
                {{ figure("ranked.mean") }},
                {{ feature_unit("ranked.feature") }},
                case
                    when abs(ranked.standardised_difference) < 0.25
                    then ', like '
                    when ranked.standardised_difference >= 1
                    then ', far above '
                    when ranked.standardised_difference > 0
                    then ', above '
                    when ranked.standardised_difference <= -1
                    then ', far below '
                    else ', below '
                end,
                'the ',
                {{ figure("ranked.population_mean") }},
                {{ feature_unit("ranked.feature") }},
                ' of all customers.'
            ) as description
        from ranked
        inner join int_segment_names on ranked.segment_key = int_segment_names.segment_key
    )

select *
from final
order by segment_key, trait_rank
