with
    stg_customers_parsed as (select * from {{ ref("stg_customers_parsed") }}),

    -- Few combinations of findings among millions of rows.
    listed as (
        select
            gender_note,
            is_gender_given,
            concat(', ', coalesce(reasons, ''), ',') as listed_reasons,
            reasons is not null as is_rejected,
            count(*) as rows_found
        from stg_customers_parsed
        group by gender_note, is_gender_given, reasons
    ),

    rules as (
        {%- for rule in row_rules() %}
            select '{{ rule }}' as rule
            {%- if not loop.last %}
                union all
            {%- endif %}
        {%- endfor %}
    ),

    counted as (
        select
            rules.rule,
            sum(listed.rows_found) as rows_checked,
            sum(
                case
                    when listed.listed_reasons like concat('%, ', rules.rule, ',%')
                    then listed.rows_found
                    else 0
                end
            ) as rows_failed,
            cast(0 as double) as threshold,
            false as is_gate
        from rules
        left join listed on true
        group by rules.rule
        union all
        {%- for note in ["gender:missing", "gender:not_recognised"] %}
            select
                '{{ note }}',
                sum(rows_found),
                sum(case when gender_note = '{{ note }}' then rows_found else 0 end),
                cast(0 as double),
                false
            from listed
            where not is_rejected
            union all
        {%- endfor %}
        select
            'unrecognised_genders',
            sum(rows_found),
            sum(case when gender_note = 'gender:not_recognised' then rows_found else 0 end),
            cast({{ var("max_unrecognised_gender_share") }} as double),
            true
        from listed
        where is_gender_given
        union all
        select
            'rejected_rows',
            sum(rows_found),
            sum(case when is_rejected then rows_found else 0 end),
            cast({{ var("max_rejected_share") }} as double),
            true
        from listed
    ),

    shared as (
        select
            rule,
            cast(coalesce(rows_checked, 0) as bigint) as rows_checked,
            cast(coalesce(rows_failed, 0) as bigint) as rows_failed,
            coalesce(cast(rows_failed as double) / nullif(rows_checked, 0), 0) as failed_share,
            threshold,
            is_gate
        from counted
    ),

    final as (
        select
            {{ build_id() }} as build_id,
            {{ segmented_at() }} as segmented_at,
            rule,
            rows_checked,
            rows_failed,
            failed_share,
            threshold,
            case
                when failed_share <= threshold then 'pass' when is_gate then 'fail' else 'warn'
            end as verdict
        from shared
    )

select *
from final
order by rule
