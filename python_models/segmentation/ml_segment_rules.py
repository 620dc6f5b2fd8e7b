from mall_segments.dbt_segmentation import segment_rules


def model(dbt, session):
    dbt.config(materialized="table")
    return segment_rules(
        session,
        points=dbt.ref("int_feature_points"),
        scaling=dbt.ref("int_feature_scaling"),
        model=dbt.ref("int_segment_model"),
        settings=dbt.config.meta_get("settings"),
    )
