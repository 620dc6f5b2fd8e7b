"""Libraries that are imported late, because not every command needs them."""

from __future__ import annotations

import threading

_LOCK = threading.Lock()


def load_libraries() -> None:
    """Import scikit-learn's algorithms and what stands beside them, in one thread at a time.

    dbt runs Python models in threads. Where two of them import parts of scikit-learn and SciPy at
    the same moment, Python breaks the circle of waiting by handing out modules that are half
    imported. Whoever needs one of these libraries calls this first.
    """
    with _LOCK:
        import sklearn.cluster
        import sklearn.metrics
        import sklearn.mixture
        import sklearn.neighbors  # noqa: F401
