with
    stg_customers_parsed as (select * from {{ ref("stg_customers_parsed") }}),

    raw_customers as (select * from {{ ref("raw_customers") }}),

    -- The record is fetched for the few rows that are refused, and not carried along for all.
    final as (
        select
            stg_customers_parsed.line_number,
            stg_customers_parsed.customer_id,
            stg_customers_parsed.reasons,
            case
                when raw_customers.intake_reason is null
                then
                    {{
                        json_record(
                            "raw_customers",
                            [
                                "customer_id",
                                "gender",
                                "age",
                                "annual_income_k_usd",
                                "spending_score",
                            ],
                        )
                    }}
                else {{ json_record("raw_customers", ["fields_found"]) }}
            end as raw_record
        from stg_customers_parsed
        inner join raw_customers on stg_customers_parsed.line_number = raw_customers.line_number
        where stg_customers_parsed.reasons is not null
    )

select *
from final
order by line_number
