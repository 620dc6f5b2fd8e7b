with
    raw_customers as (
        select *
        from {{ ref("raw_customers") }}
        {%- if is_incremental() %} where {{ after_the_last() }} {%- endif %}
    ),

    trimmed as (
        select
            line_number,
            intake_reason,
            {{ clean_text("customer_id") }} as customer_id_text,
            {{ clean_text("gender") }} as gender_text,
            {{ clean_text("age") }} as age_text,
            {{ clean_text("annual_income_k_usd") }} as annual_income_k_usd_text,
            {{ clean_text("spending_score") }} as spending_score_text
        from raw_customers
    ),

    marked as (
        select
            line_number,
            intake_reason,
            {{ missing_to_null("customer_id_text") }} as customer_id_text,
            {{ missing_to_null("gender_text") }} as gender_text,
            {{ missing_to_null("age_text") }} as age_text,
            {{ missing_to_null("annual_income_k_usd_text") }} as annual_income_k_usd_text,
            {{ missing_to_null("spending_score_text") }} as spending_score_text
        from trimmed
    ),

    typed as {{ computed_once() }} (
        select
            line_number,
            try_cast({{ whole_number("customer_id_text") }} as bigint) as customer_id,
            {{ gender_name("gender_text") }} as gender,
            try_cast({{ whole_number("age_text") }} as integer) as age,
            {{ amount("annual_income_k_usd_text") }} as annual_income_k_usd,
            try_cast({{ whole_number("spending_score_text") }} as integer) as spending_score,
            gender_text is not null as is_gender_given,
            case
                when intake_reason is not null
                then null
                when gender_text is null
                then 'gender:missing'
                when {{ gender_name("gender_text") }} = 'Unknown'
                then 'gender:not_recognised'
            end as gender_note,
            case
                when intake_reason is not null
                then intake_reason
                else
                    nullif(
                        concat_ws(
                            ', ',
                            {{
                                whole_number_reason(
                                    "customer_id", "customer_id_text", 0, 9223372036854775807
                                )
                            }},
                            {{ whole_number_reason("age", "age_text", 1, 120) }},
                            {{
                                amount_reason(
                                    "annual_income_k_usd", "annual_income_k_usd_text", 0, 1000
                                )
                            }},
                            {{
                                whole_number_reason(
                                    "spending_score", "spending_score_text", 1, 100
                                )
                            }}
                        ),
                        ''
                    )
            end as value_reasons
        from marked
    ),

    -- Only rows with valid values can repeat or contradict one another, and few do: counting the
    -- ids first keeps the comparison of whole rows small.
    repeated_ids as (
        select customer_id
        from typed
        where value_reasons is null
        group by customer_id
        having count(*) > 1
    ),

    repeats as (
        select
            typed.customer_id,
            min(typed.line_number) as first_line_number,
            min(concat_ws('|', gender, age, annual_income_k_usd, spending_score))
            <> max(concat_ws('|', gender, age, annual_income_k_usd, spending_score)) as is_conflict
        from typed
        inner join repeated_ids on typed.customer_id = repeated_ids.customer_id
        where typed.value_reasons is null
        group by typed.customer_id
    ),

    {%- if is_incremental() %}
        -- Rows that are there are not judged again, so a new row may not be about their customers.
        earlier as (
            select distinct customer_id
            from {{ this }}
            where
                customer_id in (select customer_id from typed where value_reasons is null)
                and (reasons is null or reasons in ('customer_id:conflict', 'exact_duplicate'))
        ),
    {%- endif %}

    final as (
        select
            typed.line_number,
            typed.customer_id,
            typed.gender,
            typed.gender_note,
            case
                when typed.value_reasons is not null
                then typed.value_reasons
                {%- if is_incremental() %}
                    when earlier.customer_id is not null
                    then
                        error(
                            concat(
                                'NOT_APPENDED: Line ',
                                typed.line_number,
                                ' is about customer ',
                                typed.customer_id,
                                ', who was there before; with appended: true every new row is a new'
                                ' customer. Build once without it.'
                            )
                        )
                {%- endif %}
                when repeats.is_conflict
                then 'customer_id:conflict'
                when typed.line_number <> repeats.first_line_number
                then 'exact_duplicate'
            end as reasons,
            typed.age,
            typed.annual_income_k_usd,
            typed.spending_score,
            typed.is_gender_given
        from typed
        left join repeats on typed.customer_id = repeats.customer_id
        {%- if is_incremental() %}
            left join earlier on typed.customer_id = earlier.customer_id
        {%- endif %}
    )

select *
from final
