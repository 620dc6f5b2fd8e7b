"""Everything that can go wrong before the commit point: both files stay, and the cause is named."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import duckdb
import pytest

from mall_segments.errors import AuditFailedError, MallSegmentsError
from mall_segments.outputs import NotOursError, SamePlaceError
from mall_segments.publish.build_log import NoSuchBuildError, builds
from mall_segments.publish.database import DamagedWarehouseError, InUseError, StorageError
from mall_segments.publish.lock import BusyError
from mall_segments.publish.places import Places
from mall_segments.publish.progress import Quiet
from mall_segments.publish.publication import ForeignWriterError, NotServedError, publish_build
from mall_segments.publish.serving import UnknownBuildError, rollback, settle_if_idle
from tests.faults.small_build import make_build, no_check
from tests.locking import locked
from tests.waiting import LONGEST

BLOCK_BYTES = 256 * 1_024


@pytest.fixture
def refuse(production):
    """Publish a build, expect the next to be refused, and check that nothing changed."""
    production.publish()
    before = production.digests()

    def refuse(error, match, **options):
        with pytest.raises(error, match=match) as caught:
            production.publish(**options)
        assert production.digests() == before
        assert production.leftovers() == ([], [])
        return caught.value

    return refuse


def spoiled(sql):
    """Return a build whose candidate is changed by a statement when it is done."""

    def make(candidate):
        made = make_build(candidate)
        with duckdb.connect(str(candidate)) as connection:
            connection.execute(sql)
        return made

    return make


def test_an_error_of_dbt(refuse):
    def make(_candidate):
        raise MallSegmentsError("BUILD_FAILED", "a model", "")

    refuse(MallSegmentsError, "a model", make=make)


def test_an_expectation_that_is_not_met(refuse):
    def check(_candidate, _made):
        raise AuditFailedError(["staging.stg_customers.age: too old"])

    error = refuse(AuditFailedError, "too old", check=check)
    assert error.exit_code == 3


@pytest.mark.parametrize(
    ("sql", "match"),
    [
        ("drop table marts.customer_segments", "marts.customer_segments is missing"),
        (
            "alter table marts.customer_segments drop customer_id",
            "marts.customer_segments lacks customer_id",
        ),
        (
            "insert into marts.customer_segments values (1, 'older')",
            "marts.customer_segments mixes build .* with older",
        ),
        ("delete from marts.customer_segments", "marts.customer_segments has no row of build"),
        ("delete from marts.builds", "marts.builds has no row of build"),
        (
            "insert into marts.builds from (from marts.builds order by rowid desc limit 1)",
            "marts.builds has 2 rows for build",
        ),
    ],
)
def test_a_candidate_that_is_not_one_whole_build(refuse, sql, match):
    refuse(AuditFailedError, match, make=spoiled(sql))


def test_a_mart_that_was_not_built_in_this_run(refuse):
    refuse(
        AuditFailedError,
        "marts.segment_profiles was not built in this run",
        make=lambda candidate: replace(make_build(candidate), not_built=["segment_profiles"]),
    )


@pytest.mark.parametrize("table", ["header", "raw.big", "marts.customer_segments"])
def test_a_damaged_candidate(refuse, table):
    """Wherever the damage is: also in a private table, and in a column that no check looks at."""

    def make(candidate):
        made = make_build(candidate)
        with duckdb.connect(str(candidate)) as connection:
            block = 0
            if table != "header":
                connection.execute(
                    f"create or replace table {table} as select range as customer_id,"
                    f" '{made.build_id}' as build_id, hash(range) as noise from range(300_000)"
                )
                connection.execute("checkpoint")
                block = connection.execute(
                    "select block_id from pragma_storage_info(?) where column_name = 'noise'"
                    " and segment_type = 'UBIGINT' limit 1",
                    [table],
                ).fetchall()[0][0]
        damage(candidate, 3 * 4_096 + block * BLOCK_BYTES + 1_000 if table != "header" else 100)
        return made

    error = refuse(MallSegmentsError, "cannot be read", make=make)
    assert isinstance(error, AuditFailedError)


def test_a_damaged_published_file_to_be(refuse, production, monkeypatch):
    def damage_next(moment):
        if moment == "written":
            with duckdb.connect(str(production.places.next)) as connection:
                connection.execute("update marts.segmentation_quality set customers = 7")

    monkeypatch.setattr("mall_segments.publish.publication.reached", damage_next)
    refuse(AuditFailedError, "would differ in marts.segmentation_quality")


def test_a_disk_that_is_full(refuse):
    """A limit on the size of files fails a write as a full disk does, without a disk to fill."""
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        error = refuse(
            MallSegmentsError,
            "File too large",
            make=lambda candidate: make_build(candidate, customers=3_000_000),
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert error.exit_code == os.EX_IOERR


def test_a_second_build_at_once(production):
    production.publish()
    with production.start_and_hold() as process:
        with pytest.raises(BusyError, match=rf"process {process.pid} on .* since 20") as caught:
            production.publish()
        assert caught.value.exit_code == 75
        assert settle_if_idle(production.places) is None
        process.kill()
        process.wait()
        production.publish(wait_seconds=LONGEST)
    assert len(production.log()) == 2


def test_a_build_that_waits_for_another(production):
    production.publish()
    with production.start_and_hold() as process:

        class Releasing(Quiet):
            def note(self, text):
                assert f"Another build is running (process {process.pid}" in text
                process.stdin.close()

        production.publish(progress=Releasing(), wait_seconds=LONGEST)
    assert process.returncode == 0
    assert len(production.log()) == 3


def test_a_candidate_that_fails_can_be_kept(production):
    production.publish()
    spoil = spoiled("drop table marts.customer_segments")
    with pytest.raises(AuditFailedError):
        production.publish(make=spoil, keep_candidate=True)
    kept = production.places.failed_folder / "mall.duckdb"
    with duckdb.connect(str(kept), read_only=True) as connection:
        assert len(connection.sql("from marts.builds").fetchall()) == 2
    production.publish()
    assert kept.exists()


def test_a_mart_that_no_model_makes_any_more_is_not_published(production):
    def make(candidate):
        made = make_build(candidate)
        with duckdb.connect(str(candidate)) as connection:
            connection.execute("create or replace table marts.renamed as select 1 as one")
            connection.execute("create or replace view marts.seen as select 1 as one")
        return made

    production.publish(make=make)
    with duckdb.connect(str(production.places.published), read_only=True) as connection:
        tables = connection.sql("select distinct table_name from duckdb_tables()").fetchall()
    assert sorted(tables) == [("builds",), ("customer_segments",), ("segmentation_quality",)]


@pytest.mark.parametrize("damaged", [True, False])
def test_a_published_file_that_is_damaged_or_gone_is_repaired(production, damaged):
    build = production.publish().build_id
    if damaged:
        damage(production.places.published, 100)
    else:
        production.places.published.unlink()
    assert f"Published build {build} again" in settle_if_idle(production.places)
    assert production.served() == build


def test_a_warehouse_that_is_damaged_is_named_and_the_published_file_stays(production):
    build = production.publish().build_id
    damage(production.places.warehouse, 100)
    with pytest.raises(DamagedWarehouseError, match="cannot be read"):
        production.publish()
    assert production.served() == build


def test_a_warehouse_that_somebody_writes_to_is_named(production):
    production.publish()
    before = production.digests()
    with duckdb.connect(str(production.places.warehouse)):
        with production.start() as process:
            _, said = process.communicate(timeout=LONGEST)
        assert f"IN_USE: {production.places.warehouse} is locked" in said
        assert f"(PID {os.getpid()}) has it open" in said
    assert production.digests() == before


def test_a_published_file_that_somebody_has_open_to_write_stays(production):
    first = production.publish().build_id
    production.publish()
    before = production.digests()
    with locked(production.places.published) as holder:
        assert settle_if_idle(production.places) is None
        assert [build.is_served for build in builds(production.places)] == [None, None]
        with pytest.raises(InUseError, match=rf"is locked: .*\(PID {holder.pid}\)") as caught:
            rollback(production.places)
        assert caught.value.exit_code == 75
        assert production.digests() == before
        third = production.publish().build_id
    assert production.served() == third
    assert rollback(production.places, first) == (third, first)


@pytest.mark.parametrize("content", ["id,age\n1,30\n", "", None])
def test_a_file_in_which_nothing_was_published_is_not_replaced(production, content):
    """Whether it is no database, or one of somebody else."""
    production.publish()
    theirs = production.folder / "theirs.duckdb"
    if content is None:
        with duckdb.connect(str(theirs)) as connection:
            connection.execute("create table crm as select 1 as customer")
    else:
        theirs.write_text(content)
    before = theirs.read_bytes()
    places = Places(production.places.warehouse, theirs)
    with pytest.raises(NotOursError, match=r"theirs\.duckdb is there already"):
        publish_build(places, make_build, no_check, Quiet())
    with pytest.raises(NotOursError):
        rollback(places)
    assert settle_if_idle(places).startswith(f"{theirs} is there already")
    assert theirs.read_bytes() == before


def test_what_somebody_writes_to_the_warehouse_meanwhile_is_not_lost(production):
    production.publish()
    before = production.served()

    def make(candidate):
        with duckdb.connect(str(production.places.warehouse)) as connection:
            connection.execute("create or replace table raw.loaded as select 7 as seven")
        return make_build(candidate)

    with pytest.raises(ForeignWriterError, match="Somebody else") as caught:
        production.publish(make=make)
    assert caught.value.exit_code == 75
    assert production.served() == before
    production.publish()
    with duckdb.connect(str(production.places.warehouse), read_only=True) as connection:
        assert connection.sql("from raw.loaded").fetchall() == [(7,)]


def test_a_loader_with_an_open_transaction_is_not_overtaken(production):
    production.publish()
    before = production.served()
    script = (
        "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]);"
        "c.execute('begin'); c.execute('create table raw.loaded as select 7 as seven');"
        "print('open', flush=True); input(); c.execute('commit'); c.close()"
    )
    loaders = []

    def make(candidate):
        loaders.append(
            subprocess.Popen(
                [sys.executable, "-c", script, production.places.warehouse],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        )
        loaders[0].stdout.readline()
        return make_build(candidate)

    with pytest.raises(ForeignWriterError):
        production.publish(make=make)
    assert production.served() == before
    loaders[0].communicate(b"\n", timeout=LONGEST)
    production.publish()
    with duckdb.connect(str(production.places.warehouse), read_only=True) as connection:
        assert connection.sql("from raw.loaded").fetchall() == [(7,)]


def test_what_a_killed_loader_left_in_a_write_ahead_log_is_kept(production):
    production.publish()
    script = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]);"
        "c.execute('create table raw.loaded as select 7 as seven'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, production.places.warehouse], check=True)
    assert production.run(kill_at="warehouse_replaced") == -signal.SIGKILL
    production.publish()
    with duckdb.connect(str(production.places.warehouse), read_only=True) as connection:
        assert connection.sql("from raw.loaded").fetchall() == [(7,)]


def test_a_published_file_that_cannot_be_replaced_is_told_from_a_failed_build(
    production, monkeypatch
):
    first = production.publish().build_id

    def fail(*_arguments):
        raise OSError(16, "Device or resource busy")

    with monkeypatch.context() as patch:
        patch.setattr("mall_segments.publish.publication.put_next_in_place", fail)
        with pytest.raises(NotServedError, match=r"is committed, but .* busy") as caught:
            production.publish()
    assert caught.value.exit_code == 74
    assert production.served() == first
    assert "Published build" in settle_if_idle(production.places)
    assert production.served() == production.log()[-1] != first


def test_a_clock_that_is_set_back_brings_no_old_build_back(production):
    production.publish()
    with duckdb.connect(str(production.places.warehouse)) as connection:
        connection.execute("update marts.builds set published_at = published_at + interval 1 day")
    second = production.publish().build_id
    assert settle_if_idle(production.places) is None
    assert production.served() == second


def test_a_warehouse_from_a_backup_is_gone_on_from_only_if_that_is_said(production):
    first = production.publish().build_id
    backup = production.places.warehouse.read_bytes()
    lost = [production.publish().build_id for _ in range(2)]
    production.places.warehouse.write_bytes(backup)
    before = production.digests()
    warning = f"BI reads build {lost[-1]}, which {production.places.warehouse} does not know"
    assert settle_if_idle(production.places).startswith(warning)
    with pytest.raises(UnknownBuildError, match="build --restored") as caught:
        production.publish()
    assert caught.value.exit_code == 2
    assert production.digests() == before
    assert not production.places.candidates_folder.exists()

    class Hearing(Quiet):
        def note(self, text):
            notes.append(text)

    notes = []
    third = production.publish(progress=Hearing(), restored=True, kept_builds=0).build_id
    assert notes[0].startswith(warning)
    assert production.served() == third
    assert production.log() == [first, third]
    # What the warehouse does not know it does not remove; what it knows and need not keep, it does.
    kept = {path.stem for path in production.places.kept_folder.glob("*.duckdb")}
    assert kept == {*lost, third}
    assert settle_if_idle(production.places) is None
    fourth = production.publish().build_id
    assert rollback(production.places) == (fourth, third)


def test_another_warehouse_that_never_published_does_not_replace_what_bi_reads(production):
    served = production.publish().build_id
    production.places.warehouse.unlink()
    with duckdb.connect(str(production.places.warehouse)) as connection:
        connection.execute("create schema crm; create table crm.customers as select 7 as id")
    with pytest.raises(UnknownBuildError):
        production.publish()
    assert production.served() == served


def test_productions_share_a_folder_but_nothing_in_it(tmp_path):
    names = ("eu", "us")
    places = [
        Places(tmp_path / f"{name}.warehouse.duckdb", tmp_path / f"{name}.duckdb") for name in names
    ]
    bystander = tmp_path / "candidates"
    bystander.mkdir()
    for _ in range(2):
        for one in places:
            publish_build(one, make_build, no_check, Quiet())
    assert [len(builds(one)) for one in places] == [2, 2]
    assert all(build.is_kept for one in places for build in builds(one))
    assert bystander.exists()


def test_the_published_file_is_another_than_the_warehouse(tmp_path):
    file = tmp_path / "mall.duckdb"
    with pytest.raises(SamePlaceError):
        Places(file, file)
    file.touch()
    os.link(file, tmp_path / "hard.duckdb")
    with pytest.raises(SamePlaceError):
        Places(file, tmp_path / "hard.duckdb")


def test_who_may_read_the_files_stays(production):
    production.publish()
    production.places.warehouse.chmod(0o600)
    production.places.published.chmod(0o640)
    production.publish()
    assert production.places.warehouse.stat().st_mode & 0o777 == 0o600
    assert production.places.published.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("note", ["", "[1]", "{}", "\0"])
def test_a_note_of_a_rollback_that_says_nothing_is_no_obstacle(production, note):
    production.publish()
    second = production.publish().build_id
    production.places.rollback.write_text(note)
    assert settle_if_idle(production.places) is None
    production.publish()
    assert rollback(production.places)[1] == second


def test_a_warehouse_that_is_gone_begins_anew(production):
    production.publish()
    production.places.warehouse.unlink()
    second = production.publish().build_id
    assert production.served() == second
    assert production.log() == [second]


def test_folders_that_may_not_be_written(production):
    production.publish()
    before = production.digests()
    target = production.places.published.parent
    shutil.move(target, target.with_name("elsewhere"))
    target.write_text("not a folder")
    with pytest.raises(StorageError, match=r"File exists|Not a directory") as caught:
        production.publish()
    assert caught.value.exit_code == os.EX_IOERR
    target.unlink()
    shutil.move(target.with_name("elsewhere"), target)
    assert production.digests() == before


def test_rollback_goes_back_forward_and_survives_the_next_build(production):
    first, second, third = (production.publish().build_id for _ in range(3))
    assert rollback(production.places) == (third, second)
    assert rollback(production.places) == (second, first)
    assert production.served() == first
    assert settle_if_idle(production.places) is None
    assert production.served() == first
    with pytest.raises(NoSuchBuildError, match="no build before"):
        rollback(production.places)
    assert rollback(production.places, third[:8]) == (first, third)
    assert rollback(production.places, first) == (third, first)
    fourth = production.publish().build_id
    assert production.served() == fourth
    assert production.log() == [first, second, third, fourth]
    assert settle_if_idle(production.places) is None


def test_only_some_earlier_builds_are_kept(production):
    published = [production.publish(kept_builds=2).build_id for _ in range(4)]
    log = builds(production.places)
    assert [build.build_id for build in log] == published
    assert [build.is_kept for build in log] == [False, True, True, True]
    with pytest.raises(NoSuchBuildError, match="There is no build"):
        rollback(production.places, published[0])


def test_a_kept_build_that_is_damaged_is_not_served(production):
    first, second = (production.publish().build_id for _ in range(2))
    damage(production.places.kept(first), 100)
    with pytest.raises(NoSuchBuildError, match=f"holds build {first}"):
        rollback(production.places)
    assert production.served() == second
    assert settle_if_idle(production.places) is None
    assert rollback(production.places, second) == (second, second)


def test_without_a_build_there_is_nothing_to_go_back_to(production):
    assert builds(production.places) == []
    with pytest.raises(NoSuchBuildError, match="no build before"):
        rollback(production.places)


def damage(path, position):
    """Overwrite some bytes of a file, counted from its end if negative."""
    with path.open("rb+") as file:
        file.seek(position, os.SEEK_END if position < 0 else os.SEEK_SET)
        file.write(os.urandom(4_096))
