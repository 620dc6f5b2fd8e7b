-- Fails if the segments' shares of a feature's between-segment variance do not sum to 1, where the
-- segments differ in it at all.
select feature, sum(between_variance_share) as share
from {{ ref("segment_traits") }}
group by feature
having abs(sum(between_variance_share) - 1) > 1e-9 and max(abs(standardised_difference)) > 1e-6
