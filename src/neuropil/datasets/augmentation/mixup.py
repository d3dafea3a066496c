"""Mixup: blends of pairs of examples and their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from typing_extensions import override

from neuropil.datasets.augmentation.mixing import Mixing, blend

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.source import Batch


@final
class Mixup(Mixing):
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
        ValueError: If an argument is out of its range.
        DataError: If class numbers come without `classes`.

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
        super().__init__(alpha, classes=classes)

    @override
    def mix(
        self, batch: Batch, other: Tensor, share: Tensor, generator: torch.Generator
    ) -> tuple[Batch, Tensor]:
        mask = batch.mask
        if mask is not None:  # there is content where either picture has some
            mask = torch.maximum(mask, mask[other])
        return batch._replace(inputs=blend(batch.inputs, other, share), mask=mask), share
