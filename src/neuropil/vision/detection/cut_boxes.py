"""Boxes of which augmentation leaves a part outside the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from neuropil.datasets.annotations.boxes_target import PADDING, moved_hull

if TYPE_CHECKING:
    from torch import Tensor

# A box of which less than this part of its area is inside the picture counts as cut off.
WHOLE = 0.9


def ignore_cut_boxes(moved: Tensor, targets: Tensor, matrix: Tensor) -> Tensor:
    """Return moved boxes, those that were cut off counting neither for nor against.

    Whether a part of a thing at the border of a picture has a box depends on who drew the
    boxes. The borders that augmentation makes would teach another rule than theirs.

    Args:
        moved: The boxes after a change of their pictures, cut off at borders, ``(N, M, 5)``.
        targets: The boxes before.
        matrix: ``(N, 2, 3)``, from old to new picture coordinates.

    Example:
        >>> box = torch.tensor([[[0.0, 0, 8, 8, 1]]])
        >>> left = torch.tensor([[[1.0, 0, -4], [0, 1, 0]]])
        >>> ignore_cut_boxes(torch.tensor([[[0.0, 0, 4, 8, 1]]]), box, left)
        tensor([[[ 0.,  0.,  4.,  8., -3.]]])
    """
    hull = moved_hull(targets, matrix)
    whole = (hull[..., 2:] - hull[..., :2]).prod(dim=-1)
    inside = (moved[..., 2:4] - moved[..., :2]).prod(dim=-1)
    number = moved[..., 4]
    cut = (number > PADDING) & (inside < WHOLE * whole)
    number = torch.where(cut, PADDING - 1 - number, number)
    return torch.cat([moved[..., :4], number[..., None]], dim=-1)
