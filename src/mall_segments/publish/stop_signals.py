"""Being told to stop: at once while a build is aside, never between the two replacements."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from mall_segments.errors import MallSegmentsError

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked this process to stop.

    Attributes
    ----------
    name : of the signal
    exit_code : as a shell reports it
    """

    def __init__(self, number: int) -> None:
        self.name = signal.Signals(number).name
        self.exit_code = 128 + number


class StoppedError(MallSegmentsError):
    """A build that was told to stop, and did."""

    def __init__(self, stop: Stopped) -> None:
        super().__init__("STOPPED", f"By {stop.name}.", "Nothing was published.")
        self.exit_code = stop.exit_code


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise Stopped where a stop signal finds this process.

    Libraries that are interrupted may raise something of their own instead; that is Stopped too. A
    signal that is ignored from outside, as SIGHUP under nohup, stays ignored.
    """
    received: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        received.append(number)
        raise Stopped(number)

    with _handled_by(stop):
        try:
            yield
        except Exception:
            if received:
                raise Stopped(received[0]) from None
            raise


@contextmanager
def stop_errors() -> Iterator[None]:
    """Let stop signals end what runs before it published anything, or raise StoppedError."""
    try:
        with stoppable():
            yield
    except Stopped as stop:
        raise StoppedError(stop) from None


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore stop signals for the moment that cannot be undone half way."""
    with _handled_by(signal.SIG_IGN):
        yield


@contextmanager
def _handled_by(handler: object) -> Iterator[None]:
    heard = [number for number in STOP_SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)
