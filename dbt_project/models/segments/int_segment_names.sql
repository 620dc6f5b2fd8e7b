with
    int_segment_statistics as (select * from {{ ref("int_segment_statistics") }}),

    segment_playbook as (select * from {{ ref("segment_playbook") }}),

    levels as (
        select
            segment_key,
            {{ level("max(case when feature = 'annual_income_k_usd' then robust_difference end)") }}
            as income_level,
            {{ level("max(case when feature = 'spending_score' then robust_difference end)") }}
            as spending_level
        from int_segment_statistics
        group by segment_key
    ),

    -- A playbook that lost a rule still names every segment.
    played as (
        select
            levels.segment_key,
            levels.income_level,
            levels.spending_level,
            coalesce(
                segment_playbook.segment_name,
                concat(levels.income_level, ' income, ', levels.spending_level, ' spending')
            ) as playbook_name,
            coalesce(segment_playbook.value_tier, 'medium') as value_tier,
            coalesce(
                segment_playbook.recommended_action,
                'Decide: the playbook has no rule for these levels. Add one to segment_playbook.csv.'
            ) as recommended_action
        from levels
        left join
            segment_playbook
            on levels.income_level = segment_playbook.income_level
            and levels.spending_level = segment_playbook.spending_level
    ),

    counted as (
        select *, count(*) over (partition by playbook_name) as segments_with_name from played
    ),

    -- Segments that share a name are told apart by the feature that separates them most.
    described as (
        select
            counted.segment_key,
            counted.playbook_name,
            int_segment_statistics.feature,
            concat(
                {{ feature_label("int_segment_statistics.feature") }},
                ' about ',
                cast(
                    cast(round(int_segment_statistics.mean) as integer) as {{ dbt.type_string() }}
                ),
                {{ feature_unit("int_segment_statistics.feature") }}
            ) as description,
            max(int_segment_statistics.robust_difference) over (
                partition by counted.playbook_name, int_segment_statistics.feature
            ) - min(int_segment_statistics.robust_difference) over (
                partition by counted.playbook_name, int_segment_statistics.feature
            ) as spread
        from counted
        inner join
            int_segment_statistics on counted.segment_key = int_segment_statistics.segment_key
        where counted.segments_with_name > 1
    ),

    ranked as (
        select
            *,
            row_number() over (
                partition by segment_key order by spread desc, feature
            ) as description_rank
        from described
    ),

    descriptions as (
        select
            segment_key,
            max(case when description_rank = 1 then description end) as first_description,
            max(case when description_rank = 2 then description end) as second_description,
            max(case when description_rank = 3 then description end) as third_description
        from ranked
        group by segment_key
    ),

    attempts as (
        select
            counted.*,
            concat_ws(', ', playbook_name, first_description) as name_with_one,
            concat_ws(', ', playbook_name, first_description, second_description) as name_with_two,
            concat_ws(
                ', ', playbook_name, first_description, second_description, third_description
            ) as name_with_three
        from counted
        left join descriptions on counted.segment_key = descriptions.segment_key
    ),

    checked as (
        select
            *,
            count(*) over (partition by name_with_one) as segments_with_one,
            count(*) over (partition by name_with_two) as segments_with_two,
            count(*) over (partition by name_with_three) as segments_with_three
        from attempts
    ),

    final as (
        select
            segment_key,
            income_level,
            spending_level,
            case
                when segments_with_one = 1
                then name_with_one
                when segments_with_two = 1
                then name_with_two
                when segments_with_three = 1
                then name_with_three
                else concat(name_with_three, ' (', segment_key, ')')
            end as segment_name,
            value_tier,
            recommended_action
        from checked
    )

select *
from final
