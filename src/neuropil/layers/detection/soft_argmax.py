"""The place of the peak of a heat map, as a differentiable mean over all positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from typing_extensions import override

from neuropil.checks import number, shown
from neuropil.core import Layer, Shape

if TYPE_CHECKING:
    from torch import Tensor


class SoftArgmax(Layer):
    """Find the place that each heat map shows: the mean of all positions, weighted by softmax.

    y[c] = (Σ p[c, i, j] · a_j − 1, Σ p[c, i, j] · b_i − 1), where p[c] is the softmax of x[c]
    over all positions, a_j = e_x (2j + 1)/w and b_i = e_y (2i + 1)/h. The centre of the picture
    is at (0, 0), its corners are at ±1, x to the right and y down. The result is finer than the
    positions of the map, and has a gradient, which an argmax has not.

    Shape:
        ``(C, h, w)`` to ``(C, 2)``, x before y; free lengths h and w disappear.

    Args:
        extent: Width and height e of the map, in widths and heights of the picture: above 1
            where the picture was padded at the right and the bottom.
        name: Name in the network, in place of ``softargmax1``.

    Raises:
        ValueError: When a part of `extent` is below 1.
        ShapeError: When the input is not an image.

    Reference:
        Sun, Xiao, Wei, Liang, Wei, "Integral human pose regression", 2018; Nibali, He, Morgan,
        Prendergast, "Numerical coordinate regression with convolutional neural networks", 2018,
        whose coordinates from −1 to 1 these are. Neither penalises the shape of the heat maps
        here.

    Example:
        >>> heat = torch.tensor([[[[0.0, 0.0, 0.0, 9.0], [0.0, 0.0, 0.0, 0.0]]]])
        >>> SoftArgmax()(heat).round(decimals=2)
        tensor([[[ 0.7500, -0.5000]]])
        >>> SoftArgmax().output_shape((68, None, None))
        (68, 2)
    """

    sees_everything = True

    def __init__(
        self, *, extent: tuple[float, float] = (1.0, 1.0), name: str | None = None
    ) -> None:
        super().__init__(name=name)
        given: Any = extent
        if not isinstance(given, tuple | list) or len(given) != 2:
            raise ValueError(f"SoftArgmax: extent must be two numbers, got {shown(extent)}.")
        across, along = (number(side, "SoftArgmax: extent", "[1, inf)") for side in extent)
        self.extent = (across, along)

    @override
    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 3:
            raise self.refuse(
                "heat maps (C, H, W)", shape, "a place needs a height and a width"
            )
        return (shape[0], 2)

    @override
    def forward(self, x: Tensor) -> Tensor:
        chances = x.flatten(2).softmax(-1).view_as(x)
        sides = zip(self.extent, (chances.sum(2), chances.sum(3)), strict=True)
        places = []
        for extent, chance in sides:
            count = chance.shape[-1]
            steps = torch.arange(count, device=x.device, dtype=x.dtype)
            places.append((chance * (extent * (2 * steps + 1) / count)).sum(-1) - 1)
        return torch.stack(places, dim=-1)
