"""Blocks of depthwise separable convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.checks import flag, whole
from neuropil.core import Network, Shape, join
from neuropil.layers.blocks.block_style import HE, Choice, Place, Style, StyledBlock
from neuropil.layers.convolution.convolution import Convolution
from neuropil.layers.convolution.depthwise import DepthwiseConvolution

if TYPE_CHECKING:
    from neuropil.core.layer import Composable


def depthwise(style: Style, kernel_size: int, stride: int = 1) -> DepthwiseConvolution:
    """Return a depthwise convolution, padded by half the filter."""
    return DepthwiseConvolution(
        kernel_size, stride=stride, padding=kernel_size // 2, bias=style.has_bias, weight=HE
    )


def separable(
    style: Style, filters: int, kernel_size: int, *, stride: int = 1, activates: bool = True
) -> Network:
    """Return a depthwise and a 1×1 convolution with nothing in between, in a style."""
    pair = join(
        depthwise(style, kernel_size, stride),
        Convolution(filters, 1, bias=style.has_bias, weight=HE),
    )
    return style.around(pair, activates=activates)


class SeparableBlock(StyledBlock):
    """A depthwise and a 1×1 convolution, each with its normalisation and activation.

    y = g(p g(d ∗ x)), with d one filter for each channel, p a matrix across the channels, and g
    normalisation and activation; or y = g(p (d ∗ x)), with ``between=False``.

    Shape:
        ``(C, H, W)`` to ``(filters, H/stride, W/stride)``, rounded up. Without normalisation
        F²·C + C·filters weights, F = kernel_size.

    Args:
        filters: Output channels.
        stride: Step of the depthwise filters.
        kernel_size: Length F of the depthwise filters, an odd number.
        between: Whether to put normalisation and activation between the two convolutions.
        activation: As for `ResidualBlock`.
        normalization: As for `ResidualBlock`.
        place: As for `ResidualBlock`.
        name: Name in the network, in place of ``separableblock1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input is not an image, or its number of channels is free.

    Reference:
        Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision
        applications", 2017, figure 3; without anything between, Chollet, "Xception: deep
        learning with depthwise separable convolutions", 2017.

    Example:
        >>> from neuropil.layers import Input
        >>> (Input(64, 112, 112) >> SeparableBlock(128, stride=2)).output_shape
        (128, 56, 56)
        >>> SeparableBlock(64).multiply_adds((32, 8, 8)) == (9 * 32 + 32 * 64) * 8 * 8
        True
    """

    def __init__(
        self,
        filters: int,
        *,
        stride: int = 1,
        kernel_size: int = 3,
        between: bool = True,
        activation: Choice = "relu",
        normalization: Choice = "batch",
        place: Place = "before",
        name: str | None = None,
    ) -> None:
        super().__init__(activation, normalization, place, name)
        self.filters = whole(filters, "SeparableBlock: filters")
        self.stride = whole(stride, "SeparableBlock: stride")
        self.kernel_size = whole(kernel_size, "SeparableBlock: kernel_size")
        if kernel_size % 2 == 0:
            raise ValueError(f"SeparableBlock: kernel_size must be odd, got {kernel_size}.")
        self.between = flag(between, "SeparableBlock: between")

    @override
    def compose(self, shape: Shape) -> Composable:
        style, size, stride = self.style, self.kernel_size, self.stride
        if not self.between:
            return separable(style, self.filters, size, stride=stride)
        return style.around(depthwise(style, size, stride)) >> style.unit(self.filters, 1)
