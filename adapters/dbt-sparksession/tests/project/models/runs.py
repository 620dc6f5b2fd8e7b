def model(dbt, session):
    dbt.config(
        materialized="incremental",
        incremental_strategy="append",
        on_schema_change="append_new_columns",
        full_refresh=False,
    )
    if not dbt.is_incremental:
        return session.createDataFrame([(0,)], "runs_before int")
    before = session.table(str(dbt.this)).count()
    return session.createDataFrame([(before, "again")], "runs_before int, note string")
