"""``neuropil train``."""

import inspect
from typing import Any

from neuropil.cli.terminal.interruption import suggesting_resume
from neuropil.cli.train_options import TrainOptions
from neuropil.datasets.formats import check_openable


def train(**options: Any) -> None:
    """Train a network on your data and write a run folder with a report.

    Without options, train a small convolutional network on real handwritten digits.

    Several processes train together when started by torchrun --nproc-per-node 2 -m neuropil.
    """
    asked = TrainOptions(**options)
    if asked.data is not None:
        check_openable(asked.data)
    with suggesting_resume():
        from neuropil.cli.training_run import start  # which takes seconds

    start(asked)


# Typer reads the options from the signature, so `TrainOptions` is their only definition.
train.__signature__ = inspect.signature(TrainOptions)
