-- How many segments? Every criterion side by side, with what each k gains over the one before.
select
    feature_set,
    k,
    round(wcss, 3) as wcss,
    round(
        100 * (1 - wcss / lag(wcss) over (partition by feature_set order by k)), 1
    ) as wcss_gain_percent,
    round(silhouette, 3) as silhouette,
    round(davies_bouldin, 3) as davies_bouldin,
    round(calinski_harabasz, 1) as calinski_harabasz,
    round(gap, 3) as gap,
    round(stability_jaccard, 2) as stability_jaccard,
    is_elbow,
    is_selected,
    selection_reason
from {{ ref("k_selection") }}
order by feature_set, k
