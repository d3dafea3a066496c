"""Base classes and helpers of the augmentations."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol, Self, TypeAlias, TypeVar

import torch
from torch import Tensor

from neuropil.checks import number
from neuropil.core.arguments import Arguments
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.source import Batch

Size: TypeAlias = tuple[int, int]
# `Target.move`: targets, matrices (N, 2, 3) and the new size of the pictures to moved targets.
Move: TypeAlias = Callable[[Tensor, Tensor, Size], Tensor]
# One tensor, or padded pictures with the mask of their content.
Inputs = TypeVar("Inputs", Tensor, tuple[Tensor, Tensor])


class Augmentation(Protocol):
    """A change to a batch of training examples."""

    def __call__(
        self, inputs: Inputs, targets: Tensor, generator: torch.Generator
    ) -> tuple[Inputs, Tensor]:
        """Return the changed batch; the given one is not modified.

        Args:
            inputs: Raw inputs ``(N, …)``, or a pair of padded pictures and their mask
                ``(N, H, W)``.
            targets: One target for each input.
            generator: The only source of random numbers.
        """
        ...


class PictureStep(Arguments, ABC):
    """Base class of the augmentations of pictures.

    Attributes:
        move: Moves the targets along with the pictures, or None.
    """

    move: Move | None = None

    def bind(self, move: Move) -> Self:
        """Return this augmentation with a function that moves the targets along.

        Args:
            move: `Target.move` of targets that have a place, such as boxes and points: it takes
                the targets, the matrices ``(N, 2, 3)`` from old to new picture coordinates, and
                the new height and width.
        """
        bound = copy.copy(self)
        bound.move = move
        return bound

    def __call__(
        self, inputs: Inputs, targets: Tensor, generator: torch.Generator
    ) -> tuple[Inputs, Tensor]:
        """Return the changed batch; the given one is not modified.

        Args:
            inputs: Pictures ``(N, C, H, W)``, raw, or a pair of those and their mask
                ``(N, H, W)``.
            targets: One target for each picture.
            generator: The only source of random numbers.

        Raises:
            DataError: If the inputs are not pictures.
        """
        pictures, mask = split_mask(inputs, self)
        check_pictures(pictures, self)
        changed = self.change(Batch(pictures, targets, mask), generator)
        given: Any = changed.inputs_for(2)
        return given, targets if changed.targets is None else changed.targets

    @abstractmethod
    def change(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return changed pictures of the same type, with their mask and their targets.

        Args:
            batch: Pictures ``(N, C, H, W)``, raw, with a target for each picture.
            generator: The only source of random numbers.
        """


def check_pictures(inputs: Tensor, step: object) -> None:
    """Check that inputs are a batch of pictures.

    Raises:
        DataError: If they are not.
    """
    if inputs.ndim != 4:
        raise DataError(
            f"{step} needs pictures (N, C, H, W), got a batch of shape {tuple(inputs.shape)}."
        )


def interval_mask(length: int, start: Tensor, extent: Tensor) -> Tensor:
    """Return the mask ``(N, length)`` of an interval for each picture, cut off at the ends."""
    at = torch.arange(length, device=start.device)
    return (at >= start[:, None]) & (at < (start + extent)[:, None])


def split_mask(inputs: Any, step: object) -> tuple[Tensor, Tensor | None]:
    """Return pictures and their mask, or None if they come without one.

    Raises:
        DataError: If there are several inputs, but no mask ``(N, H, W)`` of the first.
    """
    if not isinstance(inputs, tuple):
        return inputs, None
    pictures = inputs[0]
    shapes = [tuple(each.shape) for each in inputs]
    if shapes[1:] != [(len(pictures), *pictures.shape[2:])]:
        raise DataError(
            f"{step} needs one input, or padded pictures (N, C, H, W) and their mask "
            f"(N, H, W), got inputs of shapes {', '.join(map(str, shapes))}."
        )
    return pictures, inputs[1]


def uniform(count: int, like: Tensor, generator: torch.Generator, *, rows: int = 1) -> Tensor:
    """Return random numbers in [0, 1) of shape ``(rows, count)`` on the device of `like`."""
    drawn = torch.rand(rows, count, generator=generator, device=generator.device)
    return drawn.to(like.device, non_blocking=True)


def as_floats(pictures: Tensor) -> Tensor:
    """Return pictures in a type to compute with: float64 stays, the rest becomes float32."""
    return pictures if pictures.dtype == torch.float64 else pictures.float()


def as_type(pictures: Tensor, dtype: torch.dtype) -> Tensor:
    """Return computed pictures in the type of the given ones, whole numbers rounded."""
    if dtype.is_floating_point or pictures.dtype == dtype:
        return pictures.to(dtype)
    return pictures.round().to(dtype)


def check_range(pair: tuple[float, float], what: str, interval: str) -> tuple[float, float]:
    """Return a smallest and a largest value after a check.

    Raises:
        ValueError: If a value is outside the interval, or the first is above the second.
    """
    low, high = (number(value, what, interval) for value in pair)
    if low > high:
        raise ValueError(f"{what} must be in rising order, got {pair}.")
    return low, high
