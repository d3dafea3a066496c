"""Scaling of vectors to length 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from typing_extensions import override

from neuropil.core import Layer, Shape

if TYPE_CHECKING:
    from torch import Tensor


class UnitNorm(Layer):
    """Scale each vector to length 1: only its direction is kept.

    y = x / ‖x‖ with the Euclidean length ‖x‖ over the last axis, and y = 0 for x = 0. Distances
    of unit vectors are at most 2, and ‖y − y′‖² = 2 − 2 cos(y, y′).

    Shape:
        ``(D)`` or ``(T, D)`` to the same; free axes stay free. Images are refused, since their
        last axis is only the width.

    Args:
        name: Name in the network, in place of ``unitnorm1``.

    Raises:
        ShapeError: When the input is an image.

    Reference:
        ``torch.nn.functional.normalize``, whose gradient at x = 0 is 10¹² times as large;
        here it is that of y = x.

    Example:
        >>> UnitNorm()(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
        tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])
    """

    channels_first = False

    @override
    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) > 2:
            fix = "put Flatten or GlobalPooling before it"
            raise self.refuse("a vector (D) or a sequence (T, D)", shape, fix)
        return shape

    @override
    def forward(self, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        return x / torch.where(length > 0, length, 1.0)
