"""What readers see while builds are published."""

import multiprocessing
import subprocess
import sys
import time

import duckdb

READERS = 8
BUILDS = 8
SECONDS_BETWEEN_READS = 0.02
SEEN = (
    "select count(distinct build_id), min(build_id) from (select build_id from"
    " marts.customer_segments union all select build_id from marts.segmentation_quality)"
)


def read_until(stop, path, results):
    """Open, read and close in a loop, as BI tools do that pool no connections."""
    reads = failed = mixed = 0
    first_seen = {}
    while not stop.is_set():
        try:
            with duckdb.connect(path, read_only=True) as connection:
                builds, build_id = connection.sql(SEEN).fetchall()[0]
        except duckdb.Error:
            failed += 1
            continue
        reads += 1
        mixed += builds != 1
        first_seen.setdefault(build_id, time.time())
        time.sleep(SECONDS_BETWEEN_READS)
    results.put((reads, failed, mixed, first_seen))


def poll(path, publish):
    """Let READERS poll a file while builds are published, and return what they counted."""
    context = multiprocessing.get_context("spawn")
    stop, results = context.Event(), context.Queue()
    readers = [
        context.Process(target=read_until, args=(stop, str(path), results), daemon=True)
        for _ in range(READERS)
    ]
    for reader in readers:
        reader.start()
    time.sleep(1)
    published = publish()
    time.sleep(1)
    stop.set()
    counted = [results.get(timeout=30) for _ in readers]
    for reader in readers:
        reader.join()
    reads, failed, mixed = (sum(column) for column in list(zip(*counted, strict=True))[:3])
    build_id, moment = published[-1]
    staleness = [first_seen[build_id] - moment for *_, first_seen in counted]
    return reads, failed, mixed, max(staleness)


def test_readers_that_reopen_see_whole_builds_only_and_at_once(production):
    production.publish()

    def publish():
        return [(production.publish().build_id, time.time()) for _ in range(BUILDS)]

    reads, failed, mixed, staleness = poll(production.places.published, publish)
    assert reads > BUILDS * READERS
    assert failed == 0
    assert mixed == 0
    assert staleness < 1


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
