from mall_segments.dbt_intake import raw_customers


def model(dbt, session):
    return raw_customers(
        session,
        seed=dbt.ref("Mall_Customers"),
        previous=session.table(str(dbt.this)) if dbt.is_incremental else None,
        settings=dbt.config.meta_get("settings"),
    )
