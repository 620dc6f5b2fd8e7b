with
    raw_customers as (select * from {{ ref("raw_customers") }}),

    trimmed as (
        select
            line_number,
            raw_record,
            intake_reason,
            {{ clean_text("customer_id") }} as customer_id_text,
            {{ clean_text("gender") }} as gender_text,
            {{ clean_text("age") }} as age_text,
            {{ clean_text("annual_income_k_usd") }} as annual_income_k_usd_text,
            {{ clean_text("spending_score") }} as spending_score_text,
        from raw_customers
    ),

    marked as (
        select
            line_number,
            raw_record,
            intake_reason,
            {{ missing_to_null("customer_id_text") }} as customer_id_text,
            {{ missing_to_null("gender_text") }} as gender_text,
            {{ missing_to_null("age_text") }} as age_text,
            {{ missing_to_null("annual_income_k_usd_text") }} as annual_income_k_usd_text,
            {{ missing_to_null("spending_score_text") }} as spending_score_text,
        from trimmed
    ),

    typed as (
        select
            line_number,
            raw_record,
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
            end as value_reasons,
        from marked
    ),

    -- Only rows with valid values can repeat or contradict one another.
    compared as (
        select
            *,
            concat_ws('|', gender, age, annual_income_k_usd, spending_score) as customer_values,
            value_reasons is null as is_valid,
        from typed
    ),

    repeated as (
        select
            *,
            min(customer_values) over (partition by is_valid, customer_id) as smallest_values,
            max(customer_values) over (partition by is_valid, customer_id) as largest_values,
            row_number() over (
                partition by is_valid, customer_id order by line_number
            ) as occurrence,
        from compared
    ),

    final as (
        select
            line_number,
            customer_id,
            gender,
            raw_record,
            gender_note,
            case
                when not is_valid
                then value_reasons
                when smallest_values <> largest_values
                then 'customer_id:conflict'
                when occurrence > 1
                then 'exact_duplicate'
            end as reasons,
            age,
            annual_income_k_usd,
            spending_score,
            is_gender_given,
        from repeated
    )

select *
from final
