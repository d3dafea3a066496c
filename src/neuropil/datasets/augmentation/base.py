"""Base classes and helpers of the augmentations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

import torch
from torch import Tensor

from neuropil.checks import number
from neuropil.core.arguments import Arguments
from neuropil.datasets.data_errors import DataError


class Augmentation(Protocol):
    """A change to a batch of training examples."""

    def __call__(
        self, inputs: Tensor, targets: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return the changed batch; the given one is not modified.

        Args:
            inputs: Raw inputs ``(N, …)``.
            targets: One target for each input.
            generator: The only source of random numbers.
        """
        ...


def uniform(count: int, like: Tensor, generator: torch.Generator, *, rows: int = 1) -> Tensor:
    """Return random numbers in [0, 1) of shape ``(rows, count)`` on the device of `like`."""
    drawn = torch.rand(rows, count, generator=generator, device=generator.device)
    return drawn.to(like.device, non_blocking=True)


class PictureChange(Arguments, ABC):
    """Base class of picture augmentations that do not change the targets."""

    def __call__(
        self, inputs: Tensor, targets: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return the changed batch; the given one is not modified.

        Raises:
            DataError: If the inputs are not pictures.
        """
        if inputs.ndim != 4:
            raise DataError(
                f"{self} needs pictures (N, C, H, W), got a batch of shape "
                f"{tuple(inputs.shape)}."
            )
        return self.change(inputs, generator), targets

    @abstractmethod
    def change(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """Return changed pictures of the same shape and type.

        Args:
            pictures: ``(N, C, H, W)``, raw.
            generator: The only source of random numbers.
        """


def check_range(pair: tuple[float, float], what: str, interval: str) -> tuple[float, float]:
    """Return a smallest and a largest value after a check.

    Raises:
        ValueError: If a value is outside the interval, or the first is above the second.
    """
    low, high = (number(value, what, interval) for value in pair)
    if low > high:
        raise ValueError(f"{what} must be in rising order, got {pair}.")
    return low, high
