from mall_segments.dbt_intake import raw_customers


def model(dbt, session):
    def seed():
        return dbt.ref("Mall_Customers")

    return raw_customers(
        session,
        seed=seed,
        previous=session.table(str(dbt.this)) if dbt.is_incremental else None,
        settings=dbt.config.meta_get("settings"),
    )
