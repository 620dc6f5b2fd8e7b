from mall_segments.dbt_algorithms import silhouettes_of_points


def model(dbt, session):
    dbt.config(materialized="table")
    return silhouettes_of_points(
        session,
        points=dbt.ref("int_segment_points"),
        model=dbt.ref("int_segment_model"),
        settings=dbt.config.meta_get("settings"),
    )
