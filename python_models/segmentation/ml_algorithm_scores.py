from mall_segments.dbt_algorithms import algorithm_scores


def model(dbt, session):
    dbt.config(materialized="table")
    return algorithm_scores(
        session,
        customers=dbt.ref("int_compared_customers"),
        assignments=dbt.ref("ml_algorithm_assignments"),
        model=dbt.ref("int_segment_model"),
        settings=dbt.config.meta_get("settings"),
    )
