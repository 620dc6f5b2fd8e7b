"""Waiting for what happens, however busy the machine is; how long things take is for benchmarks."""

import time

# No command of the tests takes a fifth of it where nothing else runs: it ends what hangs.
LONGEST = 900
SECONDS_BETWEEN_LOOKS = 0.02


def pause():
    time.sleep(SECONDS_BETWEEN_LOOKS)


def until(happened, pause=pause):
    """Ask until the answer is true, and return it; fail when that is hopeless."""
    give_up = time.monotonic() + LONGEST
    while not (answer := happened()):
        assert time.monotonic() < give_up, f"{LONGEST} seconds went by in vain"
        pause()
    return answer
