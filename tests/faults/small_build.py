"""A build without dbt: a few small marts in milliseconds, to be published again and again.

Every row of a build carries its id, so that a reader who sees two ids has seen a mixed build.
"""

import select
import sys
import uuid
from pathlib import Path

import duckdb

from mall_segments.publish.dbt_run import Made
from mall_segments.publish.places import Places
from mall_segments.publish.progress import Lines
from mall_segments.publish.publication import publish_build
from mall_segments.publish.stop_signals import Stopped, stoppable

MARTS = {
    "customer_segments": ("customer_id", "build_id"),
    "segmentation_quality": ("build_id", "customers"),
    "builds": ("build_id", "published_at"),
}
CUSTOMERS = 500
# What a build says that is held in its midst.
HELD = "held\n"


def make_build(candidate: Path, customers: int = CUSTOMERS) -> Made:
    """Build the marts of one build into a candidate, over those of the build before."""
    build_id = str(uuid.uuid4())
    with duckdb.connect(str(candidate)) as connection:
        connection.execute("create schema if not exists marts")
        connection.execute("create schema if not exists raw")
        connection.execute(
            "create or replace table marts.customer_segments as"
            f" select range as customer_id, '{build_id}' as build_id from range({customers})"
        )
        connection.execute("create or replace table raw.secrets as select 42 as answer")
        connection.execute(
            "create or replace table marts.segmentation_quality as"
            f" select '{build_id}' as build_id, {customers} as customers"
        )
        connection.execute("comment on table marts.segmentation_quality is 'The model card.'")
        connection.execute("comment on column marts.segmentation_quality.build_id is 'Its id.'")
        connection.execute(
            "create table if not exists marts.builds (build_id varchar, published_at timestamp,"
            " customers bigint, rows_rejected bigint, k integer, wcss double,"
            " input_fingerprint varchar, duration_seconds double)"
        )
        connection.execute(
            f"insert into marts.builds values ('{build_id}', null, {customers}, 0, 5, 1.5, 'f', 0)"
        )
    columns = {mart: list(names) for mart, names in MARTS.items()}
    return Made(build_id, columns, histories=frozenset({"builds"}))


def no_check(candidate: Path, made: Made) -> None:
    """Accept every candidate."""


def main() -> None:
    """Publish one build into a folder, as a process that tests can kill.

    With a second argument it says when it is in the midst of it, and goes on at the end of stdin.
    """
    folder, is_held = Path(sys.argv[1]), len(sys.argv) > 2

    def make(candidate: Path) -> Made:
        made = make_build(candidate)
        if is_held:
            sys.stdout.write(HELD)
            sys.stdout.flush()
            # A signal that comes just before a read that blocks would wait for its end.
            while not select.select([sys.stdin], [], [], 0.02)[0]:
                pass
        return made

    try:
        with stoppable():
            publish_build(places_in(folder), make, no_check, Lines())
    except Stopped as stop:
        sys.exit(stop.exit_code)


def places_in(folder: Path) -> Places:
    """Return the two files of a production in one folder."""
    return Places(folder / "warehouse" / "mall.duckdb", folder / "published" / "mall.duckdb")


if __name__ == "__main__":
    main()
