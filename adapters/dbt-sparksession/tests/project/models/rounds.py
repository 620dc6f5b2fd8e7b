import pandas as pd


def model(dbt, session):
    dbt.config(materialized="table")
    is_there = session.catalog.tableExists(str(dbt.this))
    before = session.table(str(dbt.this)).collect()[0].round if is_there else 0
    return pd.DataFrame({"round": [before + 1], "name": ["x"], "nothing": [None]})
