"""Optimisers that take notes, and trainings in one piece and in two."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class Probe(torch.optim.Optimizer):
    """Base class of optimisers that note what they have seen."""

    def __init__(self, params: Any) -> None:
        super().__init__(params, {})
        self.seen: list[Any] = []


def whole_and_resumed(
    train: Callable[[int, Path | None], nn.Sequential], folder: Path
) -> list[Tensor]:
    """Return first weights after 4 epochs, and after 2 and then 2 more from a checkpoint.

    Args:
        train: Trains a new network to the end of an epoch, with checkpoints in a folder.
        folder: Folder for the checkpoints.
    """
    results = []
    for checkpoints, ends in ((None, (4,)), (folder, (2, 4))):
        for end in ends:
            torch.manual_seed(0)
            network = train(end, checkpoints)
        results.append(network[0].weight)
    return results
