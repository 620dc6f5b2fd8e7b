import hashlib
import os
import signal
import subprocess
import sys

import duckdb
import pytest

from mall_segments.publish.database import build_of
from mall_segments.publish.moments import KILL_AT
from mall_segments.publish.progress import Quiet
from mall_segments.publish.publication import publish_build
from mall_segments.publish.stop_signals import STOP_SIGNALS
from tests.faults.small_build import HELD, make_build, no_check, places_in
from tests.integration.conftest import ROOT
from tests.waiting import LONGEST


def hear_signals():
    """What runs in the background may ignore signals, and would hand that down."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)


class Production:
    """Two files that small builds are published to, in this process or in one that can die."""

    def __init__(self, folder):
        self.folder = folder
        self.places = places_in(folder)

    def publish(self, make=make_build, check=no_check, progress=None, **options):
        return publish_build(self.places, make, check, progress or Quiet(), **options)

    def start(self, *arguments, kill_at=""):
        """Start a build in a process of its own, which dies at the moment that is named."""
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faults.small_build", self.folder, *arguments],
            cwd=ROOT,
            env=os.environ | {KILL_AT: kill_at},
            preexec_fn=hear_signals,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, kill_at=""):
        with self.start(kill_at=kill_at) as process:
            process.wait(LONGEST)
        return process.returncode

    def start_and_hold(self):
        """Start a build, and return when it is in the midst of it, until its stdin is closed."""
        process = self.start("and hold")
        assert process.stdout.readline() == HELD
        return process

    def digests(self):
        """The bytes of the two files, as digests."""
        files = (self.places.warehouse, self.places.published)
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]

    def served(self):
        """The build that BI reads, after making sure that it is one build in all its rows."""
        with duckdb.connect(str(self.places.published), read_only=True) as connection:
            found = connection.sql(
                "select build_id, count(*) over () from (select distinct build_id"
                " from marts.customer_segments union select build_id"
                " from marts.segmentation_quality)"
            ).fetchall()
            log = connection.sql("select build_id from marts.builds").fetchall()
        assert len(found) == 1, f"mixed: {found}"
        assert log[-1] == (found[0][0],)
        return found[0][0]

    def log(self):
        """The builds in the log of the warehouse."""
        with duckdb.connect(str(self.places.warehouse), read_only=True) as connection:
            rows = connection.sql("select build_id from marts.builds").fetchall()
        return [row[0] for row in rows]

    def leftovers(self):
        """What a finished or failed build should not leave."""
        folders = [self.places.warehouse.parent, self.places.published.parent]
        wanted = {
            self.places.warehouse,
            self.places.published,
            *self.places.locks,
            self.places.kept_folder,
            self.places.failed_folder,
        }
        found = {path for folder in folders if folder.exists() for path in folder.iterdir()}
        kept = {path.stem for path in self.places.kept_folder.glob("*.*")} - {"rollback"}
        return sorted(found - wanted), sorted(kept - set(self.log()))

    def is_consistent(self):
        return build_of(self.places.published) == build_of(self.places.warehouse)


@pytest.fixture
def production(tmp_path):
    return Production(tmp_path)
