"""Base class of the augmentations that mix pairs of examples and their targets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from neuropil.checks import number, optional, whole
from neuropil.core.arguments import Arguments
from neuropil.core.shape import format_shape
from neuropil.datasets.augmentation.base import Inputs, split_mask, uniform
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.source import Batch

QUANTILES = 4096
"""Number of points at which the beta distribution is tabulated."""


class Mixing(Arguments, ABC):
    """Base class of augmentations that mix each example with another one of the batch.

    The targets are blended as ``λ y_i + (1 − λ) y_j``.

    Args:
        alpha: λ is drawn from Beta(alpha, alpha).
        classes: Number of classes; None for regression.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self, alpha: float, *, classes: int | None = None) -> None:
        name = type(self).__name__
        self.alpha = number(alpha, f"{name}: alpha", "(0, inf)")
        self.classes = optional(partial(whole, minimum=2))(classes, f"{name}: classes")

    def __call__(
        self, inputs: Inputs, targets: Tensor, generator: torch.Generator
    ) -> tuple[Inputs, Tensor]:
        """Return the mixed batch; the given one is not modified.

        Raises:
            DataError: If class numbers come without `classes`, or the targets are neither
                classes nor numbers.
        """
        if targets.ndim > 2:
            raise DataError(
                f"{type(self).__name__} blends targets that are classes or numbers, not those "
                f"of shape {format_shape(tuple(targets.shape[1:]))}: leave it out."
            )
        if not targets.is_floating_point():
            if self.classes is None:
                raise DataError(
                    f"{type(self).__name__} needs `classes`, the number of classes, to blend "
                    "class numbers."
                )
            targets = F.one_hot(targets, self.classes).float()
        values, mask = split_mask(inputs, self)
        share = self.shares(values, generator)
        other = torch.randperm(len(values), generator=generator, device=generator.device)
        other = other.to(values.device)
        mixed, share = self.mix(Batch(values, targets, mask), other, share, generator)
        given: Any = mixed.inputs_for(2)
        return given, blend(targets, other, share)

    @abstractmethod
    def mix(
        self, batch: Batch, other: Tensor, share: Tensor, generator: torch.Generator
    ) -> tuple[Batch, Tensor]:
        """Return a batch with mixed inputs, and λ as it is for the targets.

        Args:
            batch: The inputs, and the mask of their content if they are padded.
            other: Index of the other example, for each example.
            share: λ for each example.
            generator: The only source of random numbers.
        """

    def shares(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """Return λ for each example, drawn by inversion of the distribution function.

        Args:
            inputs: The batch.
            generator: The only source of random numbers.
        """
        table = torch.from_numpy(self.quantiles).to(inputs.device)
        place = uniform(len(inputs), inputs, generator)[0] * (QUANTILES - 1)
        below = place.long()
        return torch.lerp(table[below], table[below + 1], place - below)

    @cached_property
    def quantiles(self) -> np.ndarray:
        """Quantiles of λ at equal steps of probability."""
        from scipy.special import betaincinv

        steps = np.linspace(0, 1, QUANTILES)
        return betaincinv(self.alpha, self.alpha, steps).astype(np.float32)


def blend(values: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """Return ``share · values + (1 − share) · values[other]``."""
    values = values if values.is_floating_point() else values.float()
    share = share.to(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
    return torch.lerp(values[other], values, share)
