with
    int_customer_groups as (select * from {{ ref("int_customer_groups") }}),

    int_segment_names as (select * from {{ ref("int_segment_names") }}),

    numbered as (
        select
            int_customer_groups.*,
            int_segment_names.value_tier,
            case
                when age < 18
                then 1
                when age < 25
                then 2
                when age < 35
                then 3
                when age < 45
                then 4
                when age < 55
                then 5
                when age < 65
                then 6
                else 7
            end as age_band_number
        from int_customer_groups
        inner join
            int_segment_names on int_customer_groups.segment_key = int_segment_names.segment_key
    ),

    final as (
        select
            case
                age_band_number
                when 1
                then 'under 18'
                when 2
                then '18-24'
                when 3
                then '25-34'
                when 4
                then '35-44'
                when 5
                then '45-54'
                when 6
                then '55-64'
                else '65 and over'
            end as age_band,
            age_band_number,
            segment_key,
            gender,
            cast(sum(customers) as bigint) as customers,
            {{ exact_sum("customers * annual_income_k_usd") }}
            / sum(customers) as annual_income_k_usd_mean,
            {{ exact_sum("customers * spending_score") }} / sum(customers) as spending_score_mean,
            cast(
                sum(case when value_tier = 'high' then customers else 0 end) as bigint
            ) as high_value_customers
        from numbered
        group by age_band_number, segment_key, gender
    )

select *
from final
order by age_band_number, segment_key, gender
