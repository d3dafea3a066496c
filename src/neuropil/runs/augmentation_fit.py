"""The check that an augmentation fits the data and the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from neuropil.core.prediction import fits
from neuropil.core.shape import format_shape

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task


def check_augmentation(
    made: Recipe, shape: tuple[int | None, ...], targets: Tensor, task: Task[Any]
) -> None:
    """Check by a trial that an augmentation suits the examples and the network.

    Args:
        made: The network and its augmentation.
        shape: Shape of an example; one with free sizes is not checked.
        targets: Some targets, as the loss takes them.
        task: The task, which moves targets that have a place.

    Raises:
        ValueError: If it does not; the message says what would fit.
    """
    sizes = tuple(side for side in shape if side is not None)
    augment = task.bind(made.augment)
    if augment is None or len(sizes) < len(shape):
        return
    changed, _ = augment(torch.zeros(len(targets), *sizes), targets, torch.Generator())
    network, given = made.network.input_shapes[0], tuple(changed.shape[1:])
    if not fits(given, network):
        free = format_shape((given[0], *[None] * len(given[1:])))
        raise ValueError(
            f"the augmentation {made.augment!r} gives examples of shape {format_shape(given)}, "
            f"the network takes {format_shape(network)}: use one that keeps the size, or a "
            f"network with free sizes, Input{free}."
        )
