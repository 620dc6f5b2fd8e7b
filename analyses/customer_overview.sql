-- What the customers look like before any segment: one row per feature.
select
    feature,
    customers,
    round(mean, 2) as mean,
    round(standard_deviation, 2) as standard_deviation,
    minimum,
    p25,
    median,
    p75,
    maximum,
from {{ ref("int_feature_scaling") }}
order by feature
