from mall_segments.dbt_algorithms import tree_nodes


def model(dbt, session):
    dbt.config(materialized="table")
    return tree_nodes(
        session,
        customers=dbt.ref("int_compared_customers"),
        model=dbt.ref("int_segment_model"),
        settings=dbt.config.meta_get("settings"),
    )
