"""Who was a customer at the time of a build, and where."""

import duckdb

# What changes between builds: customers join and move, leave, return elsewhere, and all at once.
CHANGES = (
    "insert into members select 201, 'S1';"
    " update members set segment_key = 'S2' where customer_id in (1, 2)",
    "delete from members where customer_id between 3 and 22",
    "insert into members select customer_id, 'S5' from range(3, 13) as back(customer_id)",
    "delete from members where customer_id = 1; insert into members select 202, 'S3';"
    " update members set segment_key = 'S4' where customer_id = 2",
)
AS_OF = """
    select customer_id, segment_key
    from ml.customer_segment_history
    where dbt_valid_from <= $time and (dbt_valid_to is null or dbt_valid_to > $time)
    order by 1
"""


def test_the_stays_at_the_time_of_a_build_are_its_customers(built):
    with duckdb.connect(str(built.database)) as connection:
        connection.execute(
            "create table main.members as select customer_id, segment_key from ml.ml_customer_segments"
        )
    told = [members_at_last_build(built)]
    for change in CHANGES:
        with duckdb.connect(str(built.database)) as connection:
            connection.execute("use main; " + change)
            # All that the models of the history read of a build.
            connection.execute(
                "create or replace table ml.ml_customer_segments as"
                " select customer_id, segment_key, '' as build_id from main.members"
            )
        built.build("-s", "int_customer_assignments", "customer_segment_history")
        told.append(members_at_last_build(built))
    with duckdb.connect(str(built.database), read_only=True) as connection:
        for time, members in told:
            assert connection.execute(AS_OF, {"time": time}).fetchall() == members
    assert [len(members) for _, members in told] == [200, 201, 181, 191, 191]


def members_at_last_build(built):
    """The time of the last build, and who is in which segment."""
    ((time,),) = built.query("select distinct segmented_at from ml.int_customer_assignments")
    return time, built.query("from main.members order by 1")
