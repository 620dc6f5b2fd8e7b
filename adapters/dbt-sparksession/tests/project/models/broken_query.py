def model(dbt, session):
    dbt.config(materialized="table")
    if dbt.config.meta_get("settings")["is_broken"]:
        return session.sql("select no_such_column from range(1)")
    return session.range(1)
