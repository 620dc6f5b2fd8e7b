from mall_segments.dbt_segmentation import customer_segments


def model(dbt, session):
    dbt.config(materialized="table")
    return customer_segments(
        customers=dbt.ref("int_customer_features"),
        points=dbt.ref("int_feature_points"),
        scaling=dbt.ref("int_feature_scaling"),
        candidates=dbt.ref("ml_segment_candidates"),
        settings=dbt.config.meta_get("settings"),
    )
