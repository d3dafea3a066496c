"""Transposed convolution in one to three dimensions, according to the rank of the input."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core import Shape, ShapeError
from neuropil.core.shape import per_axis
from neuropil.core.window import Padding, Reach, Window
from neuropil.layers.convolution.convolution import Filters
from neuropil.layers.layer_options import HE, Bias, Weight

WHOLE = slice(0, None)
TRANSPOSE = {1: torch.conv_transpose1d, 2: torch.conv_transpose2d, 3: torch.conv_transpose3d}


class Deconvolution(Filters):
    """Transposed convolution: the sum of filters placed at each input position and weighted.

    y[k, o] = b[k] + Σ_c Σ_{i, t: S·i + D·t = o + P_start} w[c, k, t] · x[c, i]. It is the
    gradient of a `Convolution` with the same options with respect to its input, and reverses
    the shapes of that layer.

    Shape:
        ``(C, …)`` with two to four axes to ``(K, …)``. With F' = D(F − 1) + 1 each axis of
        length I becomes O = S(I − 1) + F' − P_start − P_end + output_padding; free axes stay
        free. ``weight`` has shape ``(C, K/groups, F, …)``, as in torch, and ``bias`` ``(K)``.

    Args:
        filters: Number of output channels K.
        kernel_size: Filter length F, one number or one per axis.
        stride: Distance S between neighbouring inputs in the output, one number or one
            per axis.
        padding: Amount cropped from the output, written as the padding of `Convolution`.
            ``"valid"``: nothing, so O = S(I − 1) + F'. ``"same"``: O = S·I, by cropping F' − S,
            the smaller half at the start (where S > F', S − F' zeros are added at the end).
            ``"full"``: F' − 1 at both ends. Numbers: that many at both ends, or (start, end).
        dilation: Distance D between neighbouring taps of a filter, one number or one per axis.
        groups: Number of groups of input and output channels.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser. Without b the layer has no such parameter.
        weight: Initial filters: an initialiser, a number or an array. With strides each output
            sums C/groups · ∏F/∏S inputs on average, which is the fan-in; the fan-out is
            K/groups · ∏F. By default ``HeNormal()``, as for `Convolution`.
        output_padding: Positions added at the end, fewer than the larger of S and D. For S > 1
            inputs of several lengths give a convolution the same output length; this option
            chooses among them. Not allowed with ``"same"``, whose output length is fixed.
        name: Name in the network, in place of ``deconvolution1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after the channels, or channels that the groups
            do not divide, or when the padding removes the whole output.

    Reference:
        Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, ch. 4.

    Example:
        >>> import torch
        >>> from neuropil.init import Constant
        >>> from neuropil.layers import Input
        >>> network = Input(1, 3) >> Deconvolution(1, 3, stride=2, weight=Constant(1))
        >>> network(torch.tensor([[[1.0, 2.0, 3.0]]])).tolist()
        [[[1.0, 1.0, 3.0, 2.0, 5.0, 3.0, 3.0]]]
        >>> (Input(8, 16, 16) >> Deconvolution(3, 5, stride=2, padding="same")).output_shape
        (3, 32, 32)
    """

    # In torch's terms: the weight's first axis holds the inputs, not the filters.
    transposed = True

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...],
        *,
        stride: int | tuple[int, ...] = 1,
        padding: Padding = "valid",
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: Bias = True,
        weight: Weight = HE,
        output_padding: int | tuple[int, ...] = 0,
        name: str | None = None,
    ) -> None:
        window = (kernel_size, stride, dilation, padding)
        super().__init__(filters, groups, bias, weight, window, name)
        self.output_padding = output_padding
        try:
            self.output_paddings(self.windows(self.likely_rank(output_padding)))
        except ValueError as error:
            raise ValueError(f"Deconvolution: {error}") from None

    def output_paddings(self, windows: tuple[Window, ...]) -> tuple[int, ...]:
        """Return the output padding of each axis.

        Raises:
            ValueError: When it is combined with ``"same"``, or is not below the larger of
                stride and dilation.
        """
        added = per_axis(self.output_padding, len(windows), "output_padding", minimum=0)
        for window, extra in zip(windows, added, strict=True):
            if extra and window.padding == "same":
                raise ValueError(
                    f'padding="same" gives S·I outputs and allows no '
                    f"output_padding, got {extra}: leave one of them out."
                )
            if extra and extra >= max(window.stride, window.dilation):
                raise ValueError(
                    f"output_padding must be smaller than stride "
                    f"{window.stride} or dilation {window.dilation}, got {extra}."
                )
        return added

    @override
    def output_shape(self, shape: Shape) -> Shape:
        windows = self.windows_over(shape)
        self.channels(shape)
        try:
            added = self.output_paddings(windows)
            lengths = map(Window.transposed_length, windows, shape[1:], added)
            return (self.filters, *lengths)
        except ShapeError as error:
            raise ShapeError(f"{self!r}: {error}") from None

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        windows = self.windows_over(shape)
        return self.filter_shapes(self.channels(shape), self.filters // self.groups, windows)

    @override
    def fans(self) -> tuple[int, int] | None:
        if not self.built_for:
            return None
        (shape,) = self.built_for
        windows = self.windows_over(shape)
        taps = math.prod(window.size for window in windows)
        steps = math.prod(window.stride for window in windows)
        fan_in = self.channels(shape) // self.groups * taps / steps
        return max(1, round(fan_in)), self.filters // self.groups * taps

    @override
    def multiply_adds(self, shape: Shape) -> int:
        return self.filter_cost(shape, shape[1:])

    @override
    def reaches(self, shape: Shape) -> tuple[Reach, ...] | None:
        return tuple(map(Window.transposed_reach, self.windows_over(shape)))

    @override
    def build(self, *input_shapes: Shape) -> None:
        super().build(*input_shapes)
        windows = self.windows_over(*input_shapes)
        padding, added, rest = zip(
            *map(split_cut, windows, self.output_paddings(windows)), strict=True
        )
        self.run = TRANSPOSE[len(windows)]
        self.how = (
            tuple(window.stride for window in windows),
            padding,
            added,
            self.groups,
            tuple(window.dilation for window in windows),
        )
        self.rest = None if all(end == WHOLE for end in rest) else (..., *rest)

    @override
    def forward(self, x: Tensor) -> Tensor:
        y = self.run(x, self.weight, self.bias, *self.how)
        return y if self.rest is None else y[self.rest]


def split_cut(window: Window, extra: int) -> tuple[int, int, slice]:
    """Return torch's padding and output padding, and the slice of its output to keep."""
    start, end = window.transposed_crop
    # Torch crops both ends equally.
    both = max(0, min(start, end))
    rest = slice(start - both, min(0, both - end) or None)
    return both, extra + max(0, -end), rest
