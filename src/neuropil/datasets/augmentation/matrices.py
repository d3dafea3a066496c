"""Matrices ``(N, 2, 3)`` of affine maps of the plane, ``p ↦ A p + b``, one for each picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def matrix_of(xx: Tensor, xy: Tensor, yx: Tensor, yy: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return the matrices with the rows ``(xx, xy, x)`` and ``(yx, yy, y)``."""
    return torch.stack([xx, xy, x, yx, yy, y], dim=1).view(-1, 2, 3)


def stretch(x_scale: Tensor, y_scale: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return the matrices that scale both axes and then shift, without any rotation."""
    none = torch.zeros_like(x)
    return matrix_of(x_scale, none, none, y_scale, x, y)


def compose(second: Tensor, first: Tensor) -> Tensor:
    """Return the matrices of ``p ↦ second(first(p))``."""
    linear = second[:, :, :2] @ first
    linear[:, :, 2] += second[:, :, 2]
    return linear


def inverse(matrix: Tensor) -> Tensor:
    """Return the matrices of the inverse maps."""
    (xx, xy, x), (yx, yy, y) = (row.unbind(1) for row in matrix.unbind(1))
    size = xx * yy - xy * yx
    xx, xy, yx, yy = yy / size, -xy / size, -yx / size, xx / size
    return matrix_of(xx, xy, yx, yy, -(xx * x + xy * y), -(yx * x + yy * y))
