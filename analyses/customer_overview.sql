-- What the customers look like before any segment: one row per feature.
select
    feature,
    customers,
    round(mean, 2) as mean,
    round(stddev, 2) as stddev,
    minimum,
    p25,
    median,
    p75,
    maximum,
    round(skewness, 2) as skewness
from {{ ref("feature_summaries") }}
where breakdown = 'all'
order by feature
