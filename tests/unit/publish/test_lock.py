import os
import subprocess
import sys

import pytest

from mall_segments.publish.lock import BusyError, build_lock


def test_the_second_is_told_who_is_first(tmp_path):
    path = tmp_path / "warehouse" / "mall.lock"
    with build_lock(path):
        with pytest.raises(BusyError, match=r"process \d+ on .* since 20\d\d-"), build_lock(path):
            pass
        with pytest.raises(BusyError), build_lock(path, wait_seconds=0.3):
            pass


def test_the_next_has_it_after_the_first_however_that_ended(tmp_path):
    path = tmp_path / "mall.lock"
    with pytest.raises(RuntimeError), build_lock(path):
        raise RuntimeError
    code = (
        "import os, sys; from pathlib import Path; "
        "from mall_segments.publish.lock import build_lock\n"
        "with build_lock(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, path], check=False).returncode == -9
    with build_lock(path):
        assert path.exists()


def test_who_waits_is_told_once(tmp_path):
    path = tmp_path / "mall.lock"
    told = []
    with (
        build_lock(path),
        pytest.raises(BusyError),
        build_lock(path, wait_seconds=0.5, on_wait=told.append),
    ):
        pass
    assert len(told) == 1
    assert "waiting for it" in told[0]


def test_a_lock_file_that_says_nothing_is_no_obstacle(tmp_path):
    path = tmp_path / "mall.lock"
    path.write_text("\0garbage")
    with build_lock(path):
        assert str(os.getpid()) in path.read_text()
