from mall_segments.dbt_segmentation import customer_segments


def model(dbt, session):
    return customer_segments(
        build=dbt.ref("int_build"),
        customers=dbt.ref("int_customer_features"),
        model=dbt.ref("int_segment_model"),
        previous=session.table(str(dbt.this)) if dbt.is_incremental else None,
        settings=dbt.config.meta_get("settings"),
    )
