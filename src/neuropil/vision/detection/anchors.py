"""Anchors of a detector from the boxes that it is to find."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

Anchors: TypeAlias = "tuple[tuple[tuple[float, float], ...], ...]"

# Anchors of each stride.
PER_STRIDE = 3


def fit_anchors(targets: Tensor, strides: int) -> Anchors:
    """Return typical sizes of boxes for each stride, the smallest for the finest."""
    boxes = targets[targets[..., 4] >= 0]
    sizes = boxes[:, 2:4] - boxes[:, :2]
    area = sizes.prod(1)
    count = PER_STRIDE * strides
    order = area.argsort()
    found = [
        tuple(round(v, 2) for v in sizes[part].mean(0).tolist())
        for part in order.tensor_split(count)
        if len(part)
    ]
    while len(found) < count:
        found.append(found[-1])
    return tuple(tuple(found[k * PER_STRIDE : (k + 1) * PER_STRIDE]) for k in range(strides))
