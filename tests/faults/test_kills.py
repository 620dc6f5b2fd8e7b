"""Kill -9 at every moment of a build that publishes."""

import random
import signal
import time

import duckdb
import pytest

from mall_segments.publish.build_log import builds
from mall_segments.publish.moments import MOMENTS
from mall_segments.publish.serving import rollback, settle_if_idle
from mall_segments.publish.stop_signals import stoppable
from tests.waiting import LONGEST

OF_A_BUILD = [moment for moment in MOMENTS if moment != "rollback_noted"]
COMMITTED = ("warehouse_replaced", "log_moved", "published_replaced", "kept", "pruned")


@pytest.mark.parametrize("moment", OF_A_BUILD)
def test_a_kill_at_any_moment_leaves_one_build_and_the_next_succeeds(production, moment):
    production.publish()
    first = production.served()
    assert production.run(kill_at=moment) == -signal.SIGKILL
    after = production.served()
    if moment not in COMMITTED:
        assert after == first
    production.publish()
    assert production.served() not in (first, after)
    assert production.is_consistent()
    assert production.leftovers() == ([], [])
    assert len(production.log()) == (3 if moment in COMMITTED else 2)


@pytest.mark.parametrize("moment", ["built", "synced", "warehouse_replaced", "published_replaced"])
def test_a_kill_of_the_first_build_leaves_none_or_one(production, moment):
    assert production.run(kill_at=moment) == -signal.SIGKILL
    settle_if_idle(production.places)
    assert production.places.published.exists() == (moment in COMMITTED)
    production.publish()
    production.served()
    assert len(production.log()) == (2 if moment in COMMITTED else 1)


@pytest.mark.parametrize("moment", ["warehouse_replaced", "log_moved"])
def test_a_crash_between_the_replacements_is_repaired_by_the_next_command(production, moment):
    production.publish()
    first = production.served()
    production.run(kill_at=moment)
    assert production.served() == first
    said = settle_if_idle(production.places)
    second = production.served()
    assert second != first
    assert f"Published build {second} again; the published file held {first}." == said
    assert settle_if_idle(production.places) is None
    assert [build.is_served for build in builds(production.places)] == [False, True]


def test_a_crash_in_a_rollback_is_finished_by_the_next_command(production, monkeypatch):
    first, second = production.publish().build_id, production.publish().build_id

    def crash(moment):
        if moment == "rollback_noted":
            raise KeyboardInterrupt

    monkeypatch.setattr("mall_segments.publish.serving.reached", crash)
    with pytest.raises(KeyboardInterrupt):
        rollback(production.places)
    assert production.served() == second
    settle_if_idle(production.places)
    assert production.served() == first


def test_kills_at_random_moments(production):
    generator = random.Random(7)
    production.publish()
    begin = time.monotonic()
    assert production.run() == 0
    usual = time.monotonic() - begin
    served = {production.served()}
    for _ in range(8):
        with production.start() as process:
            time.sleep(generator.uniform(0.3, 1.1) * usual)
            process.kill()
        served.add(production.served())
        production.publish()
        served.add(production.served())
        assert production.leftovers() == ([], [])
    log = production.log()
    assert len(log) == len(set(log))
    assert served <= set(log)


@pytest.mark.parametrize("moment", COMMITTED)
def test_a_stop_signal_after_the_commit_stops_nothing(production, monkeypatch, moment):
    production.publish()

    def interrupt(reached):
        if reached == moment:
            signal.raise_signal(signal.SIGTERM)

    for module in ("publication", "serving"):
        monkeypatch.setattr(f"mall_segments.publish.{module}.reached", interrupt)
    with stoppable():
        second = production.publish().build_id
    assert production.served() == second
    assert production.is_consistent()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_build_that_is_told_to_stop_cleans_up(production, number):
    production.publish()
    before = production.digests()
    with production.start_and_hold() as process:
        process.send_signal(number)
        assert process.wait(LONGEST) == 128 + number
    assert production.digests() == before
    assert production.leftovers() == ([], [])


def test_the_published_file_holds_marts_only(production):
    production.publish()
    with duckdb.connect(str(production.places.published), read_only=True) as connection:
        schemas = connection.sql("select distinct schema_name from duckdb_tables()").fetchall()
        comments = connection.sql(
            "select comment from duckdb_tables() where comment is not null"
            " union all select comment from duckdb_columns() where comment is not null"
        ).fetchall()
    assert schemas == [("marts",)]
    assert comments == [("The model card.",), ("Its id.",)]
