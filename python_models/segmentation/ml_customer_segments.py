from mall_segments.dbt_segmentation import customer_segments


def model(dbt, session):
    dbt.config(materialized="table")
    return customer_segments(
        customers=dbt.ref("int_customer_features"),
        model=dbt.ref("int_segment_model"),
        settings=dbt.config.meta_get("settings"),
    )
