with
    customer_segments as (select * from {{ ref("customer_segments") }}),

    numbered as (
        select
            *,
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
        from customer_segments
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
            count(*) as customers,
            {{ exact_sum("annual_income_k_usd") }} / count(*) as annual_income_k_usd_mean,
            {{ exact_sum("spending_score") }} / count(*) as spending_score_mean,
            count(case when value_tier = 'high' then 1 end) as high_value_customers
        from numbered
        group by age_band_number, segment_key, gender
    )

select *
from final
order by age_band_number, segment_key, gender
