from pyspark.sql.functions import udf


def twice(order_id):
    return order_id * 2


def model(dbt, session):
    dbt.config(materialized="table")
    orders = dbt.ref("orders")
    return orders.select(udf(twice, "bigint")(orders.order_id).alias("twice"))
