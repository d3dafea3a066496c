"""Anchors of a detector, and its strides, from the boxes that it is to find."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import torch

from neuropil.text import all_of, number_of
from neuropil.vision.boxes.kmeans_anchors import kmeans_anchors, measure_anchors

if TYPE_CHECKING:
    from torch import Tensor

Anchors: TypeAlias = "tuple[tuple[tuple[float, float], ...], ...]"

# Anchors are added until the boxes have this mean IoU with the most similar one, as far as
# there may be so many: each costs predictors in every cell.
SIMILARITY = 0.8
MOST_ANCHORS = 9
# The IoU from which an anchor suits a box.
ENOUGH = 0.5
# The shortest anchor of each stride, by the root of its area: coarse cells lose small things,
# and the features of the coarsest see further than most things need.
SHORTEST = {32: 160.0, 16: 40.0, 8: 8.0, 4: 0.0}


def fit_anchors(targets: Tensor) -> tuple[tuple[int, ...], Anchors]:
    """Return the strides of a detector and the anchors of each, typical sizes of boxes.

    Args:
        targets: The training boxes, ``(N, M, 5)``.

    Returns:
        The strides, smallest first, and for each one the width and height of its anchors.

    Raises:
        ValueError: If no box counts.

    Example:
        >>> import torch
        >>> boxes = [[0, 0, 10, 10, 0], [7, 9, 17, 19, 0], [0, 0, 50, 90, 0], [-1] * 5]
        >>> fit_anchors(torch.tensor([boxes]).float())
        ((8, 16), (((10.0, 10.0),), ((50.0, 90.0),)))
    """
    boxes = targets[targets[..., 4] >= 0][:, :4]
    if not len(boxes):
        raise ValueError(
            "the training pictures have no boxes: take fewer pictures for validation and test, "
            "or a larger picture size if the boxes became thinner than a pixel."
        )
    fit = kmeans_anchors(boxes, 1)
    for count in range(2, MOST_ANCHORS + 1):
        if fit.mean_iou >= SIMILARITY:
            break
        fit = kmeans_anchors(boxes, count)
    groups: dict[int, list[tuple[float, float]]] = {}
    for width, height in fit.sizes.tolist():
        side = (width * height) ** 0.5
        stride = next(stride for stride, least in SHORTEST.items() if side >= least)
        groups.setdefault(stride, []).append((round(width, 2), round(height, 2)))
    strides = tuple(sorted(groups))
    return strides, tuple(tuple(groups[stride]) for stride in strides)


def anchor_fit(anchors: Anchors, targets: Tensor) -> tuple[float, float]:
    """Return the mean IoU of boxes with the anchor that suits each best, and the recall.

    Args:
        anchors: For each stride, the width and height of each anchor.
        targets: The boxes, ``(N, M, 5)``.
    """
    boxes = targets[targets[..., 4] >= 0][:, :4]
    sizes = torch.tensor([size for group in anchors for size in group])
    fit = measure_anchors(boxes, sizes, iou=ENOUGH)
    return round(fit.mean_iou, 4), round(fit.recall, 4)


def describe_anchors(strides: tuple[int, ...], anchors: Anchors, *fit: float) -> list[str]:
    """Return a note on anchors; none if their fit is not known.

    Args:
        strides: The strides.
        anchors: For each stride, the width and height of each anchor.
        *fit: Result of `anchor_fit`.
    """
    if not fit:
        return []
    count, cells = number_of(sum(map(len, anchors)), "anchor"), all_of(strides)
    mean, recall = fit
    words = (
        f"{count} for cells of {cells} pixels: mean IoU {mean:.2f} with the training boxes, of "
        f"which {recall:.1%} reach {ENOUGH}."
    )
    return [words]
