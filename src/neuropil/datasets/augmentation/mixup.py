"""Mixup: blends of pairs of examples and their targets."""

from __future__ import annotations

from functools import cached_property, partial
from typing import final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from neuropil.checks import number, optional, whole
from neuropil.core.arguments import Arguments
from neuropil.datasets.augmentation.base import uniform
from neuropil.datasets.data_errors import DataError

QUANTILES = 4096
"""Number of points at which the beta distribution is tabulated."""


@final
class Mixup(Arguments):
    """Blend each example and its target with another one of the batch.

    ``x = λ x_i + (1 − λ) x_j`` and ``y = λ y_i + (1 − λ) y_j``. λ is drawn from
    Beta(alpha, alpha) for each example, j from a random permutation of the batch. Class numbers
    become class probabilities, so the loss must accept those.

    Shape:
        Inputs ``(N, …)`` keep their shape, whole numbers become float32. Class numbers ``(N)``
        become ``(N, classes)``; targets of regression keep their shape.

    Args:
        alpha: Strength: near 0 there is hardly any blending, with 1 λ is uniform.
        classes: Number of classes; None for regression.

    Raises:
        ValueError: If an argument is out of its range, or class numbers come without `classes`.

    Reference:
        Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", ICLR
        2018, arXiv:1710.09412.

    Example:
        >>> import torch
        >>> from neuropil.datasets.augmentation import Mixup
        >>> mix = Mixup(0.2, classes=3)
        >>> inputs, targets = mix(torch.eye(2), torch.tensor([0, 2]), torch.Generator())
        >>> targets.shape, targets.sum(1)
        (torch.Size([2, 3]), tensor([1., 1.]))
    """

    def __init__(self, alpha: float = 0.2, *, classes: int | None = None) -> None:
        self.alpha = number(alpha, "Mixup: alpha", "(0, inf)")
        self.classes = optional(partial(whole, minimum=2))(classes, "Mixup: classes")

    def __call__(
        self, inputs: Tensor, targets: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        if self.classes is None and not targets.is_floating_point():
            raise DataError(
                "Mixup needs `classes`, the number of classes, to blend class numbers."
            )
        if self.classes is not None and not targets.is_floating_point():
            targets = F.one_hot(targets, self.classes).float()
        share = self.shares(inputs, generator)
        other = torch.randperm(len(inputs), generator=generator, device=generator.device)
        other = other.to(inputs.device)
        return blend(inputs, other, share), blend(targets, other, share)

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
