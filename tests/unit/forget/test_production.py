import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys

import duckdb
import pytest

from mall_segments.forget.asked import NoIdsError
from mall_segments.forget.production import LOG
from mall_segments.publish.database import InUseError
from mall_segments.publish.lock import BusyError, production_lock
from mall_segments.publish.moments import KILL_AT, OF_FORGETTING
from mall_segments.publish.publication import ForeignWriterError
from mall_segments.publish.serving import rollback
from tests.locking import locked
from tests.unit.forget.conftest import make

EVERYWHERE = {"warehouse": 6, "published": 1, "kept_builds": 2, "exports": 2, "development": 0}


def tables(shop):
    """What is in each table of the warehouse."""
    names = shop.query(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where table_name not in ('builds', 'erasures')"
    )
    return {name: shop.query(f"from {name}") for (name,) in names}


def test_a_customer_is_in_no_file_and_in_no_free_block(shop):
    places = {path.split("/")[0] for path in shop.files_with("Zaphod")}
    assert places == {"warehouse", "published", "exports"}
    others = shop.files_with("Arthur")
    done = shop.forget("42")
    assert shop.files_with("Zaphod") == []
    assert shop.files_with("Arthur") == others
    assert (done.asked, done.found, done.rows) == (1, 1, EVERYWHERE)


def test_the_rows_of_others_and_what_is_no_row_of_a_customer_stay(shop):
    before = tables(shop)
    shop.forget("42")
    after = tables(shop)
    assert after.keys() == before.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        "crm.orders",
        "features.int_feature_points",
        "marts.customer_segments",
        "ml.history",
        "raw.raw_customers",
        "staging.stg_customers_parsed",
    }
    for name in changed - {"features.int_feature_points"}:
        assert {row for row in before[name] if row not in after[name]} == {
            row for row in before[name] if 42 in row or " 0042.0" in row
        }
    # Values without an id; the next build counts them again.
    assert after["features.int_feature_points"] == []
    assert shop.query("select count(*) from staging.stg_customers") == [(2,)]
    assert shop.query(
        "select comment from duckdb_columns() where comment is not null", shop.places.published
    ) == [("Who it is.",)]


def test_a_row_in_quarantine_goes_by_its_text_and_its_line(shop):
    done = shop.forget("B-1")
    assert done.found == 1
    assert shop.files_with("Ford-Prefect") == ["warehouse/mall.duckdb"]
    # The rows of the history and of the orders have no id, and no line that says whose they are.
    assert shop.query("select full_name from ml.history where full_name like 'Ford%'")
    for name in ("raw.raw_customers", "staging.stg_customers_parsed"):
        assert shop.query(f"select count(*) from {name}") == [(2,)]
    assert shop.query("from staging.stg_customers_rejected") == []


def test_unknown_customers_are_counted_and_nothing_else_changes(shop):
    before = tables(shop)
    done = shop.forget("4711", "7", "B-2")
    assert (done.asked, done.found) == (3, 1)
    assert shop.forget("4711").rows == dict.fromkeys(EVERYWHERE, 0)
    assert shop.files_with("Arthur") == []
    assert tables(shop)["crm.products"] == before["crm.products"]


def test_a_request_that_names_nobody_changes_nothing(shop):
    before = tables(shop)
    with pytest.raises(NoIdsError):
        shop.forget("42", "NA")
    assert tables(shop) == before


def test_a_row_that_says_nothing_of_whom_is_logged(shop):
    shop.forget("42", "4711")
    shop.forget("B-1")
    columns = "customers_asked, customers_found, rows_in_warehouse, rows_in_exports"
    assert shop.query(f"select {columns} from {LOG} order by erased_at") == [
        (2, 1, 6, 2),
        (1, 1, 3, 0),
    ]
    assert shop.files_with("4711") == []


def test_a_build_that_is_put_back_is_without_the_customer_and_the_next_publishes_the_log(shop):
    shop.forget("42")
    rollback(shop.places)
    assert shop.query("select customer_id from marts.customer_segments", shop.places.published) == [
        (7,)
    ]
    shop.publish()
    assert shop.query(f"select count(*) from {LOG}", shop.places.published) == [(1,)]


def test_the_contents_of_an_export_are_true_again(shop):
    shop.forget("42")
    for contents in shop.exports.glob("*/*/contents.json"):
        entry = json.loads(contents.read_text())["marts"]["customer_segments"]
        path = contents.with_name(entry["file"])
        assert entry["rows"] == len(duckdb.sql(f"from '{path}'")) == 1
        assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (shop.exports / "csv" / "current").is_symlink()


def test_the_file_of_a_bare_build_is_written_anew_too(shop):
    make(shop.development)
    assert shop.forget("42").rows["development"] == 5
    assert shop.files_with("Zaphod") == []


def test_pages_and_logs_of_ours_go_and_those_of_others_stay(shop):
    ours = [
        "target/data_docs/validations/rows.html",
        "target/run_results.json",
        "logs/dbt.log",
        "logs/dbt.log.1",
        "site/data_docs/rows.html",
        "warehouse/mall.duckdb.failed/mall.duckdb",
        "published/mall.duckdb.wal.aside",
        "published/report.html",
        "published/pictures/map.svg",
    ]
    theirs = ["customers.csv", "published/pictures/mine.svg", "target/notes.txt"]
    for name in [*ours, *theirs]:
        path = shop.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Zaphod")
    (shop.folder / "target" / "data_docs" / "static" / "offline").mkdir(parents=True)
    (shop.folder / "site" / "index.html").write_text(
        '<meta name="generator" content="mall-segments docs">'
    )
    (shop.folder / "published" / "pictures" / "map.svg").write_text(
        "Zaphod<!-- written by mall-segments -->"
    )
    report = shop.folder / "published" / "report.html"
    report.write_text('<meta name="generator" content="mall-segments 0.1.0">Zaphod')
    shop.forget("42")
    assert shop.files_with("Zaphod") == sorted(theirs)
    report.write_text("Zaphod, by somebody else")
    shop.forget("42")
    assert report.exists()


def test_a_table_of_customers_with_a_name_of_its_own_for_the_id(shop):
    with duckdb.connect(str(shop.places.warehouse)) as connection:
        connection.execute(
            "create table crm.members as select 42 as member_number, 'F' as sex, 30 as age,"
            " 50 as income, 60 as score, 'Zaphod' as full_name"
        )
    assert "warehouse/mall.duckdb" in shop.files_with("Zaphod")
    shop.forget("42", aliases={"customer_id": ["Member number"]})
    assert shop.files_with("Zaphod") == []


@pytest.mark.parametrize("moment", OF_FORGETTING)
def test_a_kill_leaves_whole_files_and_the_next_run_completes(shop, moment):
    script = (
        "import pickle, sys; from mall_segments.forget.production import forget;"
        " forget(*pickle.load(sys.stdin.buffer))"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script],
        input=pickle.dumps((shop.places, shop.request("42"))),
        env=os.environ | {KILL_AT: moment},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    counts = shop.query("select count(*) from marts.customer_segments", shop.places.published)
    assert counts == ([(2,)] if moment in ("copied", "documents_removed") else [(1,)])
    shop.forget("42")
    assert shop.files_with("Zaphod") == []
    assert not shop.places.candidates_folder.exists()
    assert not shop.places.next_folder.exists()


def test_a_build_at_work_is_left_alone(shop):
    before = tables(shop)
    with production_lock(shop.places), pytest.raises(BusyError):
        shop.forget("42")
    assert tables(shop) == before


def test_a_writer_of_the_warehouse_loses_nothing(shop, monkeypatch):
    def write(moment):
        if moment == "copied":
            with duckdb.connect(str(shop.places.warehouse)) as connection:
                connection.execute("insert into crm.products values (43, 'Tea')")

    monkeypatch.setattr("mall_segments.forget.production.reached", write)
    with pytest.raises(ForeignWriterError):
        shop.forget("42")
    assert shop.query("select count(*) from crm.products") == [(2,)]
    assert shop.query("select count(*) from marts.customer_segments") == [(2,)]


@pytest.mark.parametrize("name", ["warehouse", "published"])
def test_a_file_that_is_locked_is_named_and_nothing_changes(shop, name):
    before = tables(shop)
    path = getattr(shop.places, name)
    with locked(path), pytest.raises(InUseError) as caught:
        shop.forget("42")
    assert caught.value.path == path
    assert tables(shop) == before


def test_a_kept_build_that_nobody_can_read_goes(shop):
    first = min(shop.places.kept_folder.glob("*.duckdb"), key=lambda path: path.stat().st_mtime)
    first.write_bytes(b"Zaphod" * 10_000)
    assert first in shop.forget("42").removed
    assert shop.files_with("Zaphod") == []
