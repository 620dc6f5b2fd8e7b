-- Fails if the segments' shares of a feature's between-segment variance do not sum to 1 (or to 0
-- where the segments do not differ in it).
select feature, sum(between_variance_share) as share
from {{ ref("segment_traits") }}
group by feature
having abs(sum(between_variance_share) - 1) > 1e-9 and sum(between_variance_share) > 1e-9
