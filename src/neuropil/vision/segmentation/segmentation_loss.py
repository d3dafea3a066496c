"""The loss of segmentation: Dice and cross entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from neuropil.datasets.masks.masks_target import IGNORED
from neuropil.training.losses.base import loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

# What both sides of a soft Dice gain: a class that is neither there nor predicted has Dice 1.
SMOOTHING = 1.0


def prepare_masks(name: str, scores: Tensor, targets: Tensor) -> Tensor:
    """Return masks after a check of their shape and their class numbers.

    Raises:
        ValueError: If they do not fit the scores.
    """
    if scores.ndim != 4 or targets.ndim != 3 or targets.shape[1:] != scores.shape[2:]:
        raise ValueError(
            f"{name} takes scores (N, K, H, W) and masks (N, H, W) of the same size, got "
            f"{tuple(scores.shape)} and {tuple(targets.shape)}."
        )
    wrong = targets[(targets != IGNORED) & ((targets < 0) | (targets >= scores.shape[1]))]
    if wrong.numel():
        raise ValueError(
            f"{name}: a mask has the class {int(wrong[0])}, but there are scores for "
            f"{scores.shape[1]} classes."
        )
    return targets


@loss("class", prepare=prepare_masks)
def segmentation_loss(
    scores: Tensor, targets: Tensor, *, classes: Sequence[int] | None = None, dice: float = 1.0
) -> Tensor:
    """Measure how far the class probabilities of pixels are from a mask, by Dice and entropy.

    ``L = CE + λ (1 − mean_c (2 Σ p_c t_c + 1) / (Σ p_c + Σ t_c + 1))``, with p the softmax of
    the scores, t_c = 1 in the pixels of class c, sums over the pixels of a picture, and CE the
    mean cross entropy of its pixels. Cross entropy has a useful gradient everywhere; Dice does
    not depend on how small a thing is. Pixels of 255 count for nothing.

    Shape:
        Scores ``(N, K, H, W)``, targets ``(N, H, W)``. Values ``(N)``.

    Args:
        scores: The inputs of the softmax.
        targets: The class of each pixel, or 255.
        classes: The classes c of Dice; None for all but 0, the background.
        dice: λ.

    Raises:
        ValueError: If the shapes do not fit, or a class has no score.

    Reference:
        Milletari, Navab, Ahmadi, "V-Net: fully convolutional neural networks for volumetric
        medical image segmentation", 2016, for Dice, whose squares in the denominator are left
        out here; Isensee, Jaeger, Kohl, Petersen, Maier-Hein, "nnU-Net", 2021, for the sum.

    Example:
        >>> scores = torch.tensor([[[[9.0, -9.0]], [[-9.0, 9.0]]]])
        >>> segmentation_loss(scores, torch.tensor([[[0, 1]], [[1, 0]]])[:1]) < 0.001
        tensor([True])
        >>> segmentation_loss(scores, torch.tensor([[[1, 255]]])).round()
        tensor([18.])
    """
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    numbers = targets.long()
    counts = numbers != IGNORED
    logs = F.log_softmax(scores, 1)
    entropy = F.nll_loss(logs, numbers, ignore_index=IGNORED, reduction="none").flatten(1)
    size = counts.flatten(1).sum(1).clamp(min=1)
    # One exponential and no one-hot targets: each pixel adds its probability to its own class.
    shares = logs.exp() * counts[:, None]
    own = numbers.where(counts, 0)
    found = shares.gather(1, own[:, None]).flatten(1)
    none = shares.new_zeros(shares.shape[:2])
    common = none.scatter_add(1, own.flatten(1), found)
    true = none.scatter_add(1, own.flatten(1), counts.flatten(1).to(none.dtype))
    both = shares.flatten(2).sum(2) + true
    overlap = (2 * common + SMOOTHING) / (both + SMOOTHING)
    judged = overlap[:, 1:] if classes is None else overlap[:, list(classes)]
    return entropy.sum(1) / size + dice * (1 - judged.mean(1))
