class RefusedError(Exception):
    pass


def check(settings):
    if settings["is_broken"]:
        raise RefusedError("REFUSED: Found nothing. Do something.")


def model(dbt, session):
    dbt.config(materialized="table")
    check(dbt.config.meta_get("settings"))
    return session.range(1)
