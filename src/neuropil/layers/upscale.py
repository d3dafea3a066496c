"""Upsampling by integer factors, without parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from typing_extensions import override

from neuropil.checks import one_of
from neuropil.core import Layer, Shape
from neuropil.core.shape import per_axis
from neuropil.core.window import Reach, Window
from neuropil.layers.spatial import options_over

if TYPE_CHECKING:
    from torch import Tensor


# By the number of dimensions of the batch.
LINEAR = {3: "linear", 4: "bilinear", 5: "trilinear"}


class Upscale(Layer):
    """Upsample each axis by an integer factor.

    *nearest* repeats each value: y[c, o] = x[c, ⌊o/f⌋]. *bilinear* interpolates linearly: y[c,
    o] is x[c] at (o + ½)/f − ½, with the outermost values repeated beyond the ends (torch's
    ``align_corners=False``); for one axis it is linear, for three trilinear.

    Shape:
        ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to the same rank, each axis of length I
        to f·I; free axes stay free.

    Args:
        factor: f, one number or one per axis.
        mode: ``"nearest"`` or ``"bilinear"``.
        name: Name in the network, in place of ``upscale1``.

    Raises:
        ValueError: When the mode is unknown, or a factor is not a whole number from 1 up.
        ShapeError: When the input has no axes after the channels, or not one per factor.

    Example:
        >>> import torch
        >>> Upscale(2)(torch.tensor([[[1.0, 3.0]]])).tolist()
        [[[1.0, 1.0, 3.0, 3.0]]]
        >>> Upscale(2, "bilinear")(torch.tensor([[[1.0, 3.0]]])).tolist()
        [[[1.0, 1.5, 2.5, 3.0]]]
        >>> Upscale((1, 2)).output_shape((8, 16, None))
        (8, 16, None)
    """

    channels_first = True

    def __init__(
        self, factor: int | tuple[int, ...], mode: str = "nearest", *, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.mode = one_of(mode, f"{type(self).__name__}: mode", ("nearest", "bilinear"))
        rank = len(factor) if isinstance(factor, tuple | list) else 1
        factors = per_axis(factor, rank, "Upscale: factor")
        self.factor = list(factors) if rank > 1 else factors[0]
        # Torch's "nearest" takes ⌊o · fl(1/f)⌋, which is one too low for some f from 41 on. For
        # a power of two 1/f is exact; for other factors "nearest-exact", which takes centres,
        # is right.
        exact = all(f & (f - 1) == 0 for f in factors)
        nearest = dict.fromkeys(LINEAR, "nearest" if exact else "nearest-exact")
        self.kinds = LINEAR if mode == "bilinear" else nearest

    def factors(self, shape: Shape) -> tuple[int, ...]:
        """Return the factor of each axis.

        Raises:
            ShapeError: When the rank of the input differs from the number of factors.
        """
        return options_over(self, shape, lambda rank: per_axis(self.factor, rank, "factor"))

    @override
    def output_shape(self, shape: Shape) -> Shape:
        lengths = zip(shape[1:], self.factors(shape), strict=True)
        return (shape[0], *(length and length * f for length, f in lengths))

    @override
    def reaches(self, shape: Shape) -> tuple[Reach, ...] | None:
        # Both are transposed convolutions: with a box of f, with a triangle over 2f.
        if self.mode == "nearest":
            windows = [Window(f, f) for f in self.factors(shape)]
        else:
            windows = [Window(2 * f - f % 2, f, padding=f // 2) for f in self.factors(shape)]
        return tuple(map(Window.transposed_reach, windows))

    @override
    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=self.factor, mode=self.kinds[x.dim()])
