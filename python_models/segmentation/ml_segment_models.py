from mall_segments.dbt_segmentation import segment_models


def model(dbt, session):
    dbt.config(
        materialized="incremental",
        incremental_strategy="append",
        on_schema_change="append_new_columns",
        full_refresh=False,
    )
    return segment_models(
        session,
        build=dbt.ref("int_build"),
        points=dbt.ref("int_feature_points"),
        scaling=dbt.ref("int_feature_scaling"),
        candidates=dbt.ref("ml_segment_candidates"),
        previous=session.table(str(dbt.this)) if dbt.is_incremental else None,
        settings=dbt.config.meta_get("settings"),
    )
