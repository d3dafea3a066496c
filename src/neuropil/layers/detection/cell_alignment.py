"""Layers that put pictures and features on a common grid of cells."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from typing_extensions import override

from neuropil.checks import shown, whole
from neuropil.core import Layer, Shape, ShapeError
from neuropil.core.shape import format_shapes
from neuropil.core.window import Reach, ceil_div

if TYPE_CHECKING:
    from torch import Tensor


class CellPadding(Layer):
    """Pad pictures with zeros at the right and the bottom to whole cells.

    y[c, i, j] = x[c, i, j], and 0 beyond x: the place of every pixel stays the same. The pixels
    lie in memory with the channels last, which makes the convolutions that follow faster.

    A margin m adds m more zeros at each of the four sides, for layers without padding, which
    would otherwise have no features of what is near the border.

    Shape:
        ``(C, H, W)`` to ``(C, s·⌈H/s⌉ + 2m, s·⌈W/s⌉ + 2m)`` for cells of s pixels; free axes
        stay free.

    Args:
        cell: Height and width s of a cell.
        margin: The margin m in pixels.
        name: Name in the network, in place of ``cellpadding1``.

    Raises:
        ValueError: When `cell` is not a whole number from 1 up, or `margin` from 0 up.
        ShapeError: When the input is not an image.

    Example:
        >>> CellPadding(2)(torch.tensor([[[[1.0, 2.0, 3.0]]]])).tolist()
        [[[[1.0, 2.0, 3.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]]
        >>> CellPadding(32).output_shape((3, 250, None))
        (3, 256, None)
    """

    channels_first = True

    def __init__(self, cell: int, *, margin: int = 0, name: str | None = None) -> None:
        super().__init__(name=name)
        self.cell = whole(cell, "CellPadding: cell")
        self.margin = whole(margin, "CellPadding: margin", minimum=0)

    @override
    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 3:
            raise self.refuse("an image (C, H, W)", shape, "cells have a height and a width")
        around = 2 * self.margin
        return (
            shape[0],
            *(n and self.cell * ceil_div(n, self.cell) + around for n in shape[1:]),
        )

    @override
    def reaches(self, shape: Shape) -> tuple[Reach, ...]:
        own = Reach(1, Fraction(1), Fraction(-self.margin))
        return (own,) * len(shape[1:]) if self.margin else ()

    @override
    def forward(self, x: Tensor) -> Tensor:
        height, width = (self.cell * ceil_div(n, self.cell) - n for n in x.shape[2:])
        m = self.margin
        padded = F.pad(x, (m, m + width, m, m + height))
        return padded.contiguous(memory_format=torch.channels_last)


class CellAlignment(Layer):
    """Fit features to the cells of their picture: one position for each cell.

    Convolutions and poolings without padding give fewer positions than there are cells, because
    they lose some at each border. The missing ones are zeros, half at each side, one more at
    the top and the left if their number is odd. Positions in excess are cut off likewise.

    Shape:
        Features ``(C, h, w)`` and their picture ``(c, H, W)`` to ``(C, ⌈H/s⌉, ⌈W/s⌉)`` for a
        stride of s; free axes of the picture stay free.

    Args:
        stride: Height and width s of a cell, in pixels of the picture.
        name: Name in the network, in place of ``cellalignment1``.

    Raises:
        ValueError: When `stride` is not a whole number from 1 up.
        ShapeError: When one of the inputs is not an image.

    Example:
        >>> features, picture = torch.tensor([[[[1.0, 2.0]]]]), torch.zeros(1, 3, 8, 24)
        >>> CellAlignment(8)(features, picture).tolist()
        [[[[0.0, 1.0, 2.0]]]]
        >>> CellAlignment(16).output_shape((512, 14, 19), (3, 240, 320))
        (512, 15, 20)
    """

    inputs_taken = (2, 2)
    inputs_for_lengths = 1  # the picture
    channels_first = True

    def __init__(self, stride: int, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.stride = whole(stride, "CellAlignment: stride")

    @override
    def output_shape(self, features: Shape, picture: Shape) -> Shape:
        if len(features) != 3 or len(picture) != 3:
            raise ShapeError(
                f"{shown(self)} needs features (C, h, w) and their picture (c, H, W), got "
                f"{format_shapes((features, picture))}."
            )
        return (features[0], *(n and ceil_div(n, self.stride) for n in picture[1:]))

    @override
    def reaches(self, features: Shape, picture: Shape) -> tuple[Reach, ...]:
        starts = [
            # Free lengths may differ by more or less than the cells.
            None if have is None or length is None else -front(self.missing(have, length))
            for have, length in zip(features[1:], picture[1:], strict=True)
        ]
        return tuple(
            Reach(1, Fraction(1), None if start is None else Fraction(start))
            for start in starts
        )

    @override
    def forward(self, features: Tensor, picture: Tensor) -> Tensor:
        pads: list[int] = []
        for have, length in zip(features.shape[:1:-1], picture.shape[:1:-1], strict=True):
            missing = self.missing(have, length)
            pads += [front(missing), missing - front(missing)]
        return F.pad(features, pads)

    def missing(self, have: int, length: int) -> int:
        """Return the number of positions that the features lack; below 0 if they have more."""
        return ceil_div(length, self.stride) - have


def front(missing: int) -> int:
    """Return the number of missing positions that are added at the top or the left."""
    return (missing + 1) // 2
