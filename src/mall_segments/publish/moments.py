"""Named moments of a build, at which tests stop the process."""

from __future__ import annotations

import os
import signal

KILL_AT = "MALL_SEGMENTS_KILL_AT"

MOMENTS = (
    "locked",
    "cleared",
    "settled",
    "cloned",
    "built",
    "audited",
    "stamped",
    "written",
    "verified",
    "synced",
    "warehouse_replaced",
    "log_moved",
    "published_replaced",
    "kept",
    "pruned",
    "rollback_noted",
)

# Moments of `mall-segments forget`.
OF_FORGETTING = (
    "copied",
    "documents_removed",
    "published_forgotten",
    "exports_forgotten",
    "forgotten",
)


def reached(moment: str) -> None:
    """Say that a moment has come; a test that names it kills the process here."""
    if os.environ.get(KILL_AT) == moment:
        os.kill(os.getpid(), signal.SIGKILL)
