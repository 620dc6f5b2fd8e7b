{%- set columns = ["customer_id", "gender"] + profile_features() -%}
with
    stg_customers_parsed as (select * from {{ ref("stg_customers_parsed") }}),

    -- Few combinations of reasons among millions of rows. Of a row with too many or too few fields
    -- nobody knows which are missing.
    reasons as (
        select coalesce(reasons, '') as reasons, is_gender_given, count(*) as rows_found
        from stg_customers_parsed
        where coalesce(reasons, '') <> 'field_count'
        group by coalesce(reasons, ''), is_gender_given
    ),

    missing as (
        {%- for column in columns %}
            select
                '{{ column }}' as column_name,
                reasons,
                is_gender_given,
                rows_found,
                {%- if column == "gender" %}
                    case when is_gender_given then 0 else 1 end as is_missing
                {%- else %}
                    case
                        when concat(', ', reasons, ',') like '%, {{ column }}:missing,%'
                        then 1
                        else 0
                    end as is_missing
                {%- endif %}
            from reasons
            {%- if not loop.last %}
                union all
            {%- endif %}
        {%- endfor %}
    ),

    pairs as (
        select
            missing.column_name,
            other.column_name as other_column_name,
            cast(sum(missing.rows_found) as bigint) as raw_rows,
            cast(sum(missing.rows_found * missing.is_missing) as bigint) as column_rows,
            cast(sum(missing.rows_found * other.is_missing) as bigint) as other_rows,
            cast(
                sum(missing.rows_found * missing.is_missing * other.is_missing) as bigint
            ) as missing_rows
        from missing
        inner join
            missing as other
            on missing.reasons = other.reasons
            and missing.is_gender_given = other.is_gender_given
        group by missing.column_name, other.column_name
    ),

    -- Products of counts outgrow whole numbers.
    counts as (
        select
            column_name,
            other_column_name,
            raw_rows,
            missing_rows,
            cast(raw_rows as double) * missing_rows
            - cast(column_rows as double) * other_rows as covariance,
            cast(column_rows as double) * (raw_rows - column_rows) as variance,
            cast(other_rows as double) * (raw_rows - other_rows) as other_variance
        from pairs
    ),

    final as (
        select
            column_name,
            other_column_name,
            raw_rows,
            missing_rows,
            missing_rows / cast(raw_rows as double) as missing_share,
            {{ correlation("covariance", "variance", "other_variance") }} as missing_correlation
        from counts
    )

select *
from final
order by column_name, other_column_name
