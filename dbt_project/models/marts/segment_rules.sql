with
    ml_segment_rules as (select * from {{ ref("ml_segment_rules") }}),

    int_segment_names as (select * from {{ ref("int_segment_names") }}),

    final as (
        select
            ml_segment_rules.segment_key,
            int_segment_names.segment_name,
            cast(
                row_number() over (
                    partition by ml_segment_rules.segment_key
                    order by ml_segment_rules.rule_recall desc, ml_segment_rules.rule
                ) as integer
            ) as rule_rank,
            ml_segment_rules.rule,
            ml_segment_rules.customers,
            ml_segment_rules.rule_precision,
            ml_segment_rules.rule_recall
        from ml_segment_rules
        inner join int_segment_names on ml_segment_rules.segment_key = int_segment_names.segment_key
    )

select *
from final
order by segment_key, rule_rank
