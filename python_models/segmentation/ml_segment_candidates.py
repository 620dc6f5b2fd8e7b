from mall_segments.dbt_segmentation import segment_candidates


def model(dbt, session):
    dbt.config(materialized="table")
    return segment_candidates(
        session,
        points=dbt.ref("int_feature_points"),
        scaling=dbt.ref("int_feature_scaling"),
        previous=lambda: session.table(str(dbt.this)),
        settings=dbt.config.meta_get("settings"),
    )
