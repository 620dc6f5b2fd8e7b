import signal

import pytest

from mall_segments.publish.stop_signals import STOP_SIGNALS, Stopped, stoppable, undisturbed


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
