with
    ml_cluster_tree as (select * from {{ ref("ml_cluster_tree") }}),

    final as (
        select node, parent_node, height, position, customers, segment_key from ml_cluster_tree
    )

select *
from final
order by node
