"""A network and how it is trained, as plain as a run keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Network


@dataclass(frozen=True)
class Recipe:
    """A network and how to train it.

    Args:
        network: The network, built.
        optimizer: Name of the optimiser.
        lr: Its learning rate; the highest, where there is a schedule; None where it has none.
        weight_decay: Share of each weight taken off at each step, times the learning rate; None
            where the optimiser knows no such thing.
        schedule: Name of the learning rate's schedule over the whole training, or None.
        epochs: Passes over the training part.
        batch_size: Examples a step.
        augment: What is done to each training batch, or None.
        ema: Decay of the averaged weights, or None.
        keep_best: Whether the weights that validated best are kept, not the last.
    """

    network: Network
    optimizer: str
    lr: float | None
    weight_decay: float | None
    schedule: str | None
    epochs: int
    batch_size: int
    augment: Callable[..., Any] | None
    ema: float | None
    keep_best: bool = False
