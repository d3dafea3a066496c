"""Convolution of each channel separately."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.checks import whole
from neuropil.layers.convolution.convolution import Convolution, Filters
from neuropil.layers.layer_options import HE, Bias, Weight

if TYPE_CHECKING:
    from neuropil.core import Shape
    from neuropil.core.window import Padding


class DepthwiseConvolution(Convolution):
    """Depthwise convolution: each channel has its own filters, and channels are never summed.

    y[c·m + j, o] = b[c·m + j] + Σ_t w[c·m + j, 0, t] · x[c, S·o + D·t − P_start], for j < m:
    a `Convolution` of C·m filters in C groups.

    Shape:
        ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to ``(C·m, …)`` of the same rank, each
        axis as in `Convolution`; free axes stay free. ``weight`` has shape ``(C·m, 1, F, …)``,
        ``bias`` ``(C·m)``: (F·F + 1)·C·m parameters.

    Args:
        kernel_size: Filter length F, one number or one per axis.
        multiplier: Number of filters m for each channel.
        stride: Step S between neighbouring windows, one number or one per axis.
        padding: ``"valid"``, ``"same"``, ``"full"``, numbers or (start, end), as in
            `Convolution`.
        dilation: Distance D between neighbouring taps of a filter, one number or one per axis.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser. Without b the layer has no such parameter.
        weight: Initial filters: an initialiser, a number or an array, whose fan-in is F·F; by
            default ``HeNormal()``, as for `Convolution`.
        name: Name in the network, in place of ``depthwiseconvolution1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after the channels, one that is too short, or a
            free number of channels.

    Reference:
        Howard et al., "MobileNets", 2017, eq. 3; Chollet, "Xception", 2017.

    Example:
        >>> import torch
        >>> from neuropil.init import Constant
        >>> from neuropil.layers import Input
        >>> network = Input(2, 3) >> DepthwiseConvolution(2, weight=Constant(1))
        >>> network(torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])).tolist()
        [[[3.0, 5.0], [9.0, 11.0]]]
        >>> (Input(8, 32, 32) >> DepthwiseConvolution(3, multiplier=2)).output_shape
        (16, 30, 30)
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, ...],
        *,
        multiplier: int = 1,
        stride: int | tuple[int, ...] = 1,
        padding: Padding = "valid",
        dilation: int | tuple[int, ...] = 1,
        bias: Bias = True,
        weight: Weight = HE,
        name: str | None = None,
    ) -> None:
        window = (kernel_size, stride, dilation, padding)
        # The number of filters and groups follows from the input.
        Filters.__init__(self, 1, 1, bias, weight, window, name)
        self.multiplier = whole(multiplier, "DepthwiseConvolution: multiplier")

    @override
    def output_shape(self, shape: Shape) -> Shape:
        lengths = self.slide(shape)
        return (self.channels(shape) * self.multiplier, *lengths)

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        windows = self.windows_over(shape)
        filters = self.channels(shape) * self.multiplier
        shapes = self.filter_shapes(filters, 1, windows)
        return {**shapes, "bias": (filters,)} if self.has_bias else shapes

    @override
    def fans(self) -> tuple[int, int] | None:
        taps = math.prod(self.weight.shape[2:])
        return taps, self.multiplier * taps

    @override
    def build(self, *input_shapes: Shape) -> None:
        super().build(*input_shapes)
        self.filters = self.weight.shape[0]
        self.how = (*self.how[:3], self.filters // self.multiplier)
