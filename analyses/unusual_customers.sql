-- Who is unusual, and how sure is that? The customers whom most rules call outliers come first.
select
    outlier_customers.customer_id,
    outlier_customers.feature,
    outlier_customers.value,
    segment_profiles.segment_name,
    count(*) as rules,
    min(outlier_customers.lower_bound) as least_lower_bound,
    max(outlier_customers.upper_bound) as largest_upper_bound
from {{ ref("outlier_customers") }} as outlier_customers
inner join
    {{ ref("segment_profiles") }} as segment_profiles
    on outlier_customers.segment_key = segment_profiles.segment_key
group by
    outlier_customers.customer_id,
    outlier_customers.feature,
    outlier_customers.value,
    segment_profiles.segment_name
order by rules desc, outlier_customers.feature, outlier_customers.customer_id
limit 100
