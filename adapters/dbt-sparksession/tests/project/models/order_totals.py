def model(dbt, session):
    dbt.config(materialized="table")
    settings = dbt.config.meta_get("settings")
    orders = dbt.ref("orders")
    return orders.where(orders.order_id <= settings["last_order"]).groupBy().sum("amount")
