from mall_segments.dbt_intake import raw_customers


def model(dbt, session):
    dbt.config(materialized="table")
    return raw_customers(
        session,
        seed=dbt.ref("Mall_Customers"),
        settings=dbt.config.meta_get("settings"),
    )
