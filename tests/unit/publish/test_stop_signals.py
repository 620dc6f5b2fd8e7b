import signal

import pytest

from mall_segments.publish.stop_signals import STOP_SIGNALS, Stopped, stoppable, undisturbed


@pytest.fixture(autouse=True)
def heard():
    """A process in the background may have been started with signals that it ignores."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_that_is_ignored_from_outside_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stoppable():
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_what_a_library_makes_of_a_signal_is_a_stop_too():
    def interrupted():
        try:
            signal.raise_signal(signal.SIGTERM)
        except Stopped:
            raise RuntimeError("Query interrupted") from None

    with pytest.raises(Stopped), stoppable():
        interrupted()


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_stop_signal_ends_what_can_stop_and_not_what_cannot(number):
    before = signal.getsignal(number)
    with stoppable():
        with undisturbed():
            signal.raise_signal(number)
        with pytest.raises(Stopped) as caught:
            signal.raise_signal(number)
    assert caught.value.exit_code == 128 + number
    assert caught.value.name == number.name
    assert signal.getsignal(number) == before
