"""CutMix: rectangles of other pictures, and targets in proportion."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from typing_extensions import override

from neuropil.datasets.augmentation.base import check_pictures, interval_mask, uniform
from neuropil.datasets.augmentation.mixing import Mixing

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.source import Batch


@final
class CutMix(Mixing):
    """Replace a rectangle of each picture by that of another one, and blend the targets.

    The sides of the rectangle are ``√(1 − λ)`` of those of the picture, rounded. Its centre is
    any point of the picture, and what reaches beyond the picture is cut off. Then λ becomes the
    fraction of the picture that remains, and ``y = λ y_i + (1 − λ) y_j``. λ is drawn from
    Beta(alpha, alpha) for each picture, j from a random permutation of the batch. Class numbers
    become class probabilities, so the loss must accept those.

    Shape:
        Pictures ``(N, C, H, W)`` keep their shape and type. Class numbers ``(N)`` become
        ``(N, classes)``; targets of regression keep their shape.

    Args:
        alpha: Strength: near 0 nearly all or nothing is replaced, with 1 λ is uniform.
        classes: Number of classes; None for regression.

    Raises:
        ValueError: If an argument is out of its range.
        DataError: If class numbers come without `classes`, or the inputs are not pictures.

    Reference:
        Yun, Han, Oh, Chun, Choe and Yoo, "CutMix: Regularization Strategy to Train Strong
        Classifiers with Localizable Features", ICCV 2019, arXiv:1905.04899. There one rectangle
        is drawn for the whole batch.

    Example:
        >>> import torch
        >>> from neuropil.datasets.augmentation import CutMix
        >>> mix = CutMix(classes=2)
        >>> pictures = torch.eye(2)[:, :1, None, None].expand(2, 1, 4, 4)
        >>> mixed, targets = mix(pictures, torch.tensor([1, 0]), torch.Generator())
        >>> torch.equal(mixed.mean((1, 2, 3)), targets[:, 1])
        True
    """

    def __init__(self, alpha: float = 1.0, *, classes: int | None = None) -> None:
        super().__init__(alpha, classes=classes)

    @override
    def mix(
        self, batch: Batch, other: Tensor, share: Tensor, generator: torch.Generator
    ) -> tuple[Batch, Tensor]:
        inputs, _, mask = batch
        check_pictures(inputs, self)
        side = (1 - share).sqrt()
        places = uniform(len(inputs), inputs, generator, rows=2)
        rows, columns = (
            interval(length, side, place)
            for length, place in zip(inputs.shape[2:], places, strict=True)
        )
        covered = rows[:, :, None] & columns[:, None, :]
        mixed = torch.where(covered[:, None], inputs[other], inputs)
        if mask is not None:
            mask = torch.where(covered, mask[other], mask)
        share = 1 - covered.flatten(1).float().mean(1)
        return batch._replace(inputs=mixed, mask=mask), share


def interval(length: int, fraction: Tensor, place: Tensor) -> Tensor:
    """Return the mask ``(N, length)`` of intervals around `place`, which is from 0 to 1."""
    extent = (fraction * length).round()
    start = (place * length).floor() - (extent / 2).floor()
    return interval_mask(length, start, extent)
