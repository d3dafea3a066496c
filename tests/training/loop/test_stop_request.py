"""Signals during a training."""

import os
import signal

import pytest

from neuropil.training.loop.stop_request import Interruption

WORKER = "DataLoader worker (pid 7) is killed by signal: Terminated. "


@pytest.mark.parametrize(
    ("message", "signalled", "kind"),
    [
        (WORKER, True, KeyboardInterrupt),
        (WORKER, False, RuntimeError),
        ("shapes cannot be multiplied", True, RuntimeError),
    ],
)
def test_the_end_of_a_dataloaders_worker_after_a_signal_is_an_interruption(
    message, signalled, kind
):
    def train():
        with Interruption(lambda: None):
            if signalled:
                os.kill(os.getpid(), signal.SIGTERM)
            raise RuntimeError(message)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(kind):
        train()
    assert signal.getsignal(signal.SIGTERM) is before
