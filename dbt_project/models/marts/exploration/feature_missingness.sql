{%- set columns = ["customer_id", "gender"] + profile_features() -%}
with
    stg_customers_parsed as (select * from {{ ref("stg_customers_parsed") }}),

    -- Few combinations of reasons among millions of rows. Of a row with too many or too few fields
    -- nobody knows which are missing.
    reasons as (
        select
            concat(', ', coalesce(reasons, ''), ',') as reasons,
            is_gender_given,
            count(*) as rows_found
        from stg_customers_parsed
        where coalesce(reasons, '') <> 'field_count'
        group by coalesce(reasons, ''), is_gender_given
    ),

    missing as (
        select
            {%- for column in columns %}
                {%- if column == "gender" %} case when is_gender_given then 0 else 1 end as gender,
                {%- else %}
                    case
                        when reasons like '%, {{ column }}:missing,%' then 1 else 0
                    end as {{ column }},
                {%- endif %}
            {%- endfor %}
            rows_found
        from reasons
    ),

    pairs as (
        {%- for column in columns %}
            {%- set outer_loop = loop %}
            {%- for other in columns %}
                select
                    '{{ column }}' as column_name,
                    '{{ other }}' as other_column_name,
                    cast(sum(rows_found) as bigint) as raw_rows,
                    cast(sum(rows_found * {{ column }}) as bigint) as column_rows,
                    cast(sum(rows_found * {{ other }}) as bigint) as other_rows,
                    cast(sum(rows_found * {{ column }} * {{ other }}) as bigint) as missing_rows
                from missing
                having count(*) > 0
                {%- if not (loop.last and outer_loop.last) %}
                    union all
                {%- endif %}
            {%- endfor %}
        {%- endfor %}
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
