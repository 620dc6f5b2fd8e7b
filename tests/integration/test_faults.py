"""Real builds, killed, polled and starved: minutes to half an hour, run by `make faults`."""

import os
import random
import shutil
import signal
import subprocess
import time

import duckdb
import pytest

from mall_segments.publish.moments import KILL_AT, MOMENTS
from tests.faults.test_readers import poll
from tests.waiting import LONGEST

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("FAULTS_KILLS", "60"))
POLLED_BUILDS = 20
# Models run from about here to here of a build; uniform kills would mostly miss them.
MODELS_RUN = (0.3, 0.95)
MART_IDS = (
    "select count(distinct build_id), min(build_id) from (select build_id from"
    " marts.customer_segments union all select build_id from marts.segmentation_quality)"
)


def served(project):
    """The build that BI reads, after making sure that it is one and the last of its log."""
    with duckdb.connect(str(project.published), read_only=True) as connection:
        found = connection.sql(MART_IDS).fetchall()
        last = connection.sql(
            "select build_id from marts.builds order by published_at desc limit 1"
        ).fetchall()
        counts = connection.sql(
            "select (select count(*) from marts.customer_segments),"
            " (select sum(customers) from marts.segment_profiles)"
        ).fetchall()
    assert found == [(1, last[0][0])]
    assert counts == [(200, 200)]
    return last[0][0]


def build(project):
    result = project.run("mall-segments", "build", "--quiet")
    assert result.returncode == 0, result.stderr
    return served(project)


def log(project):
    with duckdb.connect(str(project.warehouse), read_only=True) as connection:
        return [row[0] for row in connection.sql("select build_id from marts.builds").fetchall()]


def test_kills_of_real_builds(production):
    generator = random.Random(11)
    begin = time.monotonic()
    seen = {served(production), build(production)}
    usual = time.monotonic() - begin
    for number in range(KILLS):
        first, last = MODELS_RUN if number % 2 else (0.0, 1.05)
        with production.start("mall-segments", "build", "--quiet") as process:
            time.sleep(generator.uniform(first, last) * usual)
            process.kill()
        seen.add(served(production))
        seen.add(build(production))
    builds = log(production)
    assert len(builds) == len(set(builds)) >= KILLS + 2
    assert seen <= set(builds)


@pytest.mark.parametrize("moment", [moment for moment in MOMENTS if moment != "rollback_noted"])
def test_a_kill_of_a_real_build_at_every_step(production, moment, monkeypatch):
    before = served(production)
    monkeypatch.setenv(KILL_AT, moment)
    with production.start("mall-segments", "build", "--quiet", environment=[KILL_AT]) as killed:
        assert killed.wait(LONGEST) == -signal.SIGKILL
    after = served(production)
    assert build(production) not in (before, after)


def test_readers_of_real_builds(production):
    seen = poll(production.published, lambda: build(production), POLLED_BUILDS)
    assert seen.reads > 1_000
    assert (seen.failed, seen.mixed, seen.outdated) == (0, 0, [])


@pytest.mark.parametrize("free_megabytes", [6, 14, 16, 18, 20, 24])
def test_a_disk_that_fills_up(production, tmp_path, free_megabytes):
    """On a small file system of its own, which takes the right to mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    used = sum(
        path.stat().st_size
        for name in ("warehouse", "published")
        for path in (production.folder / name).rglob("*")
    )
    size = used + free_megabytes * (1 << 20)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=True)
    try:
        for name in ("warehouse", "published"):
            shutil.copytree(production.folder / name, disk / name)
        on_disk = [
            *("--warehouse", disk / "warehouse" / production.warehouse.name),
            *("--published", disk / "published" / production.published.name),
        ]
        before = [path.read_bytes() for path in files(disk)]
        result = production.run("mall-segments", "build", "--quiet", *on_disk)
        if result.returncode:
            assert result.returncode == os.EX_IOERR, result.stderr
            assert "No space left on device" in result.stderr or "no space" in result.stderr
            assert [path.read_bytes() for path in files(disk)] == before
            assert sum(path.is_dir() for path in (disk / "warehouse").iterdir()) == 0
        else:
            assert [path.read_bytes() for path in files(disk)] != before
    finally:
        subprocess.run(["umount", disk], check=True)


def files(disk):
    """The two files in their order."""
    return sorted(disk.glob("*/*.duckdb"))
