-- How do income, spending and value change with age? One row per age band.
select
    age_band,
    sum(customers) as customers,
    round(sum(customers * annual_income_k_usd_mean) / sum(customers), 1) as mean_income_k_usd,
    round(sum(customers * spending_score_mean) / sum(customers), 1) as mean_spending_score,
    round(100 * sum(high_value_customers) / sum(customers), 1) as high_value_percent
from {{ ref("age_bands") }}
group by age_band, age_band_number
order by age_band_number
