"""``neuropil train``."""

import inspect
from typing import Any

from neuropil.cli.interruption import saying_what_is_kept
from neuropil.cli.train_options import TrainOptions


def train(**options: Any) -> None:
    """Train a network on your data and leave a run folder with a report.

    Without options: a small convolutional network on real handwritten digits.
    """
    with saying_what_is_kept():
        from neuropil.cli.training_run import start  # which takes seconds

    start(TrainOptions(**options))


# Typer reads the options from the signature: they are written once, where their help is.
train.__signature__ = inspect.signature(TrainOptions)
