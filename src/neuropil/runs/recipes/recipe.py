"""A network with the settings of its training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Network


@dataclass(frozen=True)
class Recipe:
    """A network with the settings of its training.

    Args:
        network: The built network.
        optimizer: Name of the optimiser.
        lr: The learning rate, with a schedule the highest one; None if the optimiser has none.
        weight_decay: The weight decay, which is multiplied by the learning rate at each step;
            None if the optimiser has none.
        schedule: Name of the learning rate schedule over the whole training, or None.
        epochs: Number of passes over the training part.
        batch_size: Number of examples per step.
        augment: The augmentation of each training batch, or None.
        ema: Decay of the averaged weights, or None.
        patience: Number of epochs without a better validation loss after which the training
            stops, or None.
        keep_best: Whether to keep the weights with the best validation loss instead of the
            last.
        freeze: Name of the last layer whose weights stay as they are, or None.
        choice: How it was chosen from several recipes, for the user; empty if it was not.
    """

    network: Network
    optimizer: str
    lr: float | None
    weight_decay: float | None
    schedule: str | None
    epochs: int
    batch_size: int
    augment: Callable[..., Any] | None = None
    ema: float | None = None
    patience: int | None = None
    keep_best: bool = False
    freeze: str | None = None
    choice: str = ""
