"""`mall-segments build` for real: dbt, Great Expectations, and what BI reads."""

import hashlib
import json
import signal
from pathlib import Path

import duckdb
import pytest

from tests.integration.conftest import HISTORY_MARTS, SERVING_MARTS
from tests.waiting import LONGEST, until

# Of no matter to who judges the customers and the marts as a whole.
QUICK = ("--vars", "{compare_algorithms: false, compared_feature_sets: [], k_max: 6}")


@pytest.fixture
def refused(production):
    """Build, expect an exit code, and check that nothing that anybody reads has changed."""
    before = digests(production)

    def refused(exit_code, *arguments):
        result = production.run("mall-segments", "build", *arguments)
        assert result.returncode == exit_code, result.stderr
        assert digests(production) == before
        assert not production.warehouse.with_name("mall_segments.duckdb.candidates").exists()
        return result.stderr

    return refused


def digests(project):
    files = (project.warehouse, project.published)
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]


def test_what_is_published_is_what_a_bare_dbt_build_gives(mall, first_build):
    names = SERVING_MARTS + HISTORY_MARTS
    assert first_build.marts(first_build.published, names) == mall.marts(names=names)
    with duckdb.connect(str(first_build.published), read_only=True) as connection:
        schemas = connection.sql("select distinct schema_name from duckdb_tables()").fetchall()
        described = connection.sql(
            "select count(*) from duckdb_columns() where schema_name = 'marts' and comment is null"
        ).fetchall()
    assert schemas == [("marts",)]
    assert described == [(0,)]


def test_people_see_the_steps_and_the_segments(first_build):
    for step in ("Copy the warehouse", "Build with dbt", "Audit", "Publish", "Published build"):
        assert step in first_build.said.stderr
    assert "model marts.customer_segments: success" in first_build.said.stderr
    assert "200 customers in 5 segments" in first_build.said.stdout


def test_a_second_build_changes_no_byte_adds_to_the_log_and_can_be_taken_back(
    first_build, production
):
    before = production.marts(production.published)
    events = []
    with production.start("mall-segments", "build", "--json") as process:
        for line in process.stdout:
            events.append(json.loads(line))
            # Another production of the clone ends: this one has a target folder of its own.
            if events[-1]["event"] == "node":
                (production.folder / "target" / "manifest.json").write_text("{}")
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert production.marts(production.published) == before
    assert production.query(
        "select distinct verdict from marts.segment_drift", production.published
    ) == [("stable",)]
    assert events[-1]["event"] == "published"
    assert {"step", "node"} <= {event["event"] for event in events}
    listed = production.run("mall-segments", "builds", "--json").stdout
    log = [json.loads(line) for line in listed.splitlines()]
    assert [build["is_served"] for build in log] == [False, True]
    assert log[1]["build_id"] == events[-1]["build_id"]
    assert log[0]["input_fingerprint"] == log[1]["input_fingerprint"]
    assert log[1]["duration_seconds"] > 1
    with duckdb.connect(str(production.published), read_only=True) as connection:
        assert connection.sql(
            "select count(distinct build_id), count(*) filter (published_at is null)"
            " from marts.builds"
        ).fetchall() == [(2, 0)]
        assert connection.sql(
            "select count(distinct build_id) from marts.data_quality_summary"
        ).fetchall() == [(2,)]
    # The path of its candidate is another, and yet dbt keeps what it has parsed.
    anew = "Unable to do partial parsing"
    assert anew in (first_build.folder / "logs" / "dbt.log").read_text()
    assert anew not in (production.folder / "logs" / "dbt.log").read_text()
    result = production.run("mall-segments", "rollback")
    assert result.returncode == 0, result.stderr
    assert log[0]["build_id"] in result.stdout
    assert "served" in production.run("mall-segments", "builds").stdout
    assert production.run("mall-segments", "rollback").returncode == 2


def test_a_failing_data_test(refused, production):
    (production.folder / "tests" / "dbt" / "assert_never.sql").write_text(
        "-- Fails if there are customers.\nselect * from {{ ref('stg_customers') }}\n"
    )
    said = refused(3)
    assert "AUDIT_FAILED: Failure in test assert_never" in said
    assert "Got 200 results" in said


def test_customers_that_moved_need_a_new_baseline(refused, production):
    lines = production.seed.read_text().splitlines()
    for number, line in enumerate(lines[1:], start=1):
        identity, gender, age, *rest = line.split(",")
        lines[number] = ",".join([identity, gender, str(min(int(age) + 25, 95)), *rest])
    production.seed.write_text("\n".join(lines) + "\n")
    said = refused(3, "--keep-candidate", *QUICK)
    assert "staging.stg_customers: expected age distributed as in the registered" in said
    assert "build again with --update-baseline" in said
    kept = production.warehouse.with_name("mall_segments.duckdb.failed") / "mall_segments.duckdb"
    assert f"The candidate is kept in {kept.parent}" in said
    assert production.run("mall-segments", "segments", "--database", kept).returncode == 0
    accepted = production.run("mall-segments", "build", "--update-baseline", "--quiet", *QUICK)
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout == accepted.stderr == ""
    checked = production.run("mall-segments", "check", "--site", production.folder / "site")
    assert checked.returncode == 0, checked.stdout


def test_a_source_that_a_model_refuses(refused):
    said = refused(2, "--vars", "{customers_path: nowhere.csv}")
    assert "FILE_NOT_FOUND: There is no file nowhere.csv" in said


def test_a_model_that_cannot_be_built(refused, production):
    path = production.folder / "dbt_project" / "models" / "marts" / "segment_traits.sql"
    path.write_text(path.read_text() + "{{ nope }")
    said = refused(1)
    assert "BUILD_FAILED" in said
    assert "segment_traits" in said


def test_a_part_of_the_marts(refused):
    said = refused(3, "--", "--select", "segment_profiles")
    assert "marts.customer_segments was not built in this run" in said


def test_an_argument_that_dbt_does_not_know(refused):
    assert "No such option" in refused(1, "--", "--nope")


@pytest.mark.parametrize("option", ["--target=dev", "-t", "--log-format", "--vars"])
def test_options_that_are_not_passed_on(refused, option):
    assert option.partition("=")[0] in refused(2, "--", option)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_dbt_ends_with_the_build_that_started_it(production, number):
    before = digests(production)
    candidates = production.warehouse.with_name("mall_segments.duckdb.candidates")
    with production.start("mall-segments", "build") as process:
        # It is at work once it writes its log.
        until(lambda: list(candidates.glob("*/logs/dbt.log")))
        assert dbt_processes(production.folder)
        process.send_signal(number)
        process.wait(LONGEST)
    until(lambda: not dbt_processes(production.folder))
    assert digests(production) == before


def dbt_processes(folder):
    """The dbt child processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if b"publish.dbt_child" in command and (process / "cwd").readlink() == folder:
                found.append(process.name)
        except OSError:
            continue
    return found


def test_exports_are_what_is_published(first_build, tmp_path):
    for file_format in ("parquet", "csv"):
        arguments = ("--format", file_format, "--to", tmp_path)
        result = first_build.run("mall-segments", "export", *arguments)
        assert result.returncode == 0, result.stderr
        files = tmp_path / file_format / "current"
        exported = {file.stem for file in files.glob(f"*.{file_format}")}
        assert exported == {*SERVING_MARTS, *HISTORY_MARTS, "days"}
        profiles = files / f"segment_profiles.{file_format}"
        customers = duckdb.sql(f"select sum(customers) from '{profiles}'")
        assert customers.fetchall() == [(200,)]


def test_a_bare_dbt_build_cannot_write_production(project):
    result = project.dbt("build", "--target", "prod")
    assert result.returncode != 0
    assert "MALL_SEGMENTS_CANDIDATE" in result.stdout
