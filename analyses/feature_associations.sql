-- Which features go together? Each pair once, the strongest first.
select
    feature, other_feature, round(pearson, 3) as pearson, round(spearman, 3) as spearman, customers
from {{ ref("feature_correlations") }}
where feature < other_feature
order by abs(spearman) desc, feature, other_feature
