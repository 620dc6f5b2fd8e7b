"""What readers see while builds are published."""

import multiprocessing
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise

import duckdb

from tests.waiting import LONGEST, pause, until

READERS = 8
BUILDS = 8
SEEN = (
    "select count(distinct build_id), min(build_id) from (select build_id from"
    " marts.customer_segments union all select build_id from marts.segmentation_quality)"
)


@dataclass
class Seen:
    """What all readers saw together.

    `outdated` are the reads that began after a build was published, and saw one before it.
    """

    reads: int
    failed: int
    mixed: int
    outdated: list


def read_until(stop, path, reads, number, results):
    """Open, read and close in a loop, as BI tools do that pool no connections."""
    failed = mixed = 0
    # When each build was opened last; the clock is that of the machine.
    opened_last = {}
    is_last = False
    while not is_last:
        # Asked before, so that the last read begins after the last build.
        is_last = stop.is_set()
        opened = time.monotonic()
        try:
            with duckdb.connect(path, read_only=True) as connection:
                builds, build_id = connection.sql(SEEN).fetchall()[0]
        except duckdb.Error:
            failed += 1
        else:
            mixed += builds != 1
            opened_last[build_id] = opened
        reads[number] += 1
        pause()
    results.put((failed, mixed, opened_last))


def poll(path, publish, builds):
    """Let READERS poll a file while builds are published, and return what they saw.

    Each reads between any two builds: whether it also does so in the midst of one, chance decides.
    """
    context = multiprocessing.get_context("spawn")
    stop, results = context.Event(), context.Queue()
    reads = context.Array("L", READERS, lock=False)
    readers = [
        context.Process(
            target=read_until, args=(stop, str(path), reads, number, results), daemon=True
        )
        for number in range(READERS)
    ]
    for reader in readers:
        reader.start()

    def all_have_read_again():
        before = list(reads)
        until(lambda: all(now > then for now, then in zip(reads, before, strict=True)))

    published = []
    for _ in range(builds):
        all_have_read_again()
        published.append((publish(), time.monotonic()))
    stop.set()
    counted = [results.get(timeout=LONGEST) for _ in readers]
    for reader in readers:
        reader.join()
    failed, mixed, opened_last = zip(*counted, strict=True)
    ends = {build_id: end for (build_id, _), (_, end) in pairwise(published)}
    outdated = [
        (build_id, opened - ends[build_id])
        for seen in opened_last
        for build_id, opened in seen.items()
        if build_id in ends and opened > ends[build_id]
    ]
    assert all(published[-1][0] in seen for seen in opened_last)
    return Seen(sum(reads), sum(failed), sum(mixed), outdated)


def test_readers_that_reopen_see_whole_builds_only_and_at_once(production):
    production.publish()
    path = production.places.published
    seen = poll(path, lambda: production.publish().build_id, BUILDS)
    assert seen.reads > BUILDS * READERS
    assert (seen.failed, seen.mixed, seen.outdated) == (0, 0, [])


def test_a_connection_that_stays_open_keeps_its_build_until_all_are_closed(production):
    first = production.publish().build_id
    path = str(production.places.published)
    open_connection = duckdb.connect(path, read_only=True)
    second = production.publish().build_id
    assert open_connection.sql(SEEN).fetchall() == [(1, first)]
    another = duckdb.connect(path, read_only=True)
    assert another.sql(SEEN).fetchall() == [(1, first)]
    another.close()
    open_connection.close()
    with duckdb.connect(path, read_only=True) as connection:
        assert connection.sql(SEEN).fetchall() == [(1, second)]


def test_detach_and_attach_refreshes_a_connection_that_stays_open(production):
    first = production.publish().build_id
    attach = f"attach '{production.places.published}' as mall (read_only)"
    query = "select build_id from mall.marts.segmentation_quality"
    with duckdb.connect() as connection:
        connection.execute(attach)
        assert connection.sql(query).fetchall() == [(first,)]
        second = production.publish().build_id
        connection.execute("detach mall")
        connection.execute(attach)
        assert connection.sql(query).fetchall() == [(second,)]


def test_what_a_writer_left_in_the_published_file_is_not_replayed(production):
    production.publish()
    path = production.places.published
    script = (
        f"import duckdb, os; c = duckdb.connect({str(path)!r});"
        "c.execute('create table marts.mine as select 1 as one'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    log = path.with_name("mall.duckdb.wal")
    assert log.exists()
    second = production.publish().build_id
    assert production.served() == second
    assert log.with_name("mall.duckdb.wal.aside").exists()
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.sql("select table_name from duckdb_tables()").fetchall()
    assert ("mine",) not in tables
