"""Dense blocks: each layer takes the outputs of all layers before it."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.checks import number, whole
from neuropil.core import Shape, join
from neuropil.core.arguments import constructor
from neuropil.layers.blocks.block_style import Choice, Place, StyledBlock
from neuropil.layers.mixing.merge import Concatenate
from neuropil.layers.noise import Dropout
from neuropil.layers.pooling.window_pooling import AveragePooling
from neuropil.layers.rearrange import Identity

if TYPE_CHECKING:
    from neuropil.core.layer import Composable


class Dense(StyledBlock):
    """Base class of dense blocks and their layers: growth rate, bottleneck and dropout.

    Args:
        growth_rate: Number of channels that each layer adds.
        bottleneck: Channels of the 1×1 convolution for each of these; None for no such
            convolution.
        dropout: Fraction of the new channels' values dropped in training.
        activation: As in `Style`.
        normalization: As in `Style`.
        place: As in `Style`.
        name: Name in the network.

    Raises:
        ValueError: When an option is out of its range.
    """

    def __init__(
        self,
        growth_rate: int,
        *,
        bottleneck: int | None,
        dropout: float,
        activation: Choice,
        normalization: Choice,
        place: Place,
        name: str | None = None,
    ) -> None:
        super().__init__(activation, normalization, place, name)
        who = type(self).__name__
        self.growth_rate = whole(growth_rate, f"{who}: growth_rate")
        self.bottleneck = (
            None if bottleneck is None else whole(bottleneck, f"{who}: bottleneck")
        )
        self.dropout = number(dropout, f"{who}: dropout", "[0, 1)")


class DenseLayer(Dense):
    """One layer of a `DenseBlock`: its input concatenated with its output.

    Args:
        growth_rate: As for `DenseBlock`.
        bottleneck: As for `DenseBlock`.
        dropout: As for `DenseBlock`.
        activation: As for `DenseBlock`.
        normalization: As for `DenseBlock`.
        place: As for `DenseBlock`.
    """

    @override
    def compose(self, shape: Shape) -> Composable:
        grown = [self.style.unit(self.growth_rate, 3)]
        if self.bottleneck is not None:
            grown.insert(0, self.style.unit(self.bottleneck * self.growth_rate, 1))
        dropped = [Dropout(self.dropout)] if self.dropout else []
        return (Identity() | join(*grown, *dropped)) >> Concatenate()


class DenseBlock(Dense):
    """Convolutions that each take the concatenated outputs of all before it.

    x_l = H_l([x_0, x_1, …, x_{l−1}]) for l = 1 … n, and y = [x_0, x_1, …, x_n]. Each H is a
    1×1 convolution to `bottleneck` · k channels and a 3×3 convolution to k, each after its
    normalisation and activation.

    Shape:
        ``(C, H, W)`` to ``(C + n·k, H, W)`` with n = layers and k = growth_rate. Without
        normalisation layer l has (C + (l − 1)·k)·B + 9·B·k weights with B = bottleneck·k, or
        9·(C + (l − 1)·k)·k where there is no bottleneck.

    Args:
        layers: Number of layers n.
        growth_rate: Channels k that each layer adds.
        bottleneck: Channels of the 1×1 convolution for each of the k; None for no such
            convolution.
        dropout: Fraction of the new channels' values dropped in training.
        activation: As for `ResidualBlock`.
        normalization: As for `ResidualBlock`.
        place: As for `ResidualBlock`.
        name: Name in the network, in place of ``denseblock1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input is not an image.

    Reference:
        Huang, Liu, van der Maaten, Weinberger, "Densely connected convolutional networks",
        2017, eq. 2 and section 3. Equal outputs under equal weights with the ``_DenseBlock`` of
        ``torchvision.models.densenet``.

    Example:
        >>> from neuropil.layers import Input
        >>> (Input(64, 56, 56) >> DenseBlock(6, 32)).output_shape
        (256, 56, 56)
        >>> DenseBlock(1, 8, normalization=None).parameter_shapes((16, 4, 4))
        {'denselayer1.convolution1.weight': (32, 16, 1, 1),
         'denselayer1.convolution1.bias': (32,),
         'denselayer1.convolution2.weight': (8, 32, 3, 3),
         'denselayer1.convolution2.bias': (8,)}
    """

    layers: int

    @constructor(layers=whole)
    def __init__(
        self,
        layers: int,
        growth_rate: int,
        *,
        bottleneck: int | None = 4,
        dropout: float = 0.0,
        activation: Choice = "relu",
        normalization: Choice = "batch",
        place: Place = "first",
        name: str | None = None,
    ) -> None: ...

    @override
    def compose(self, shape: Shape) -> Composable:
        layer = functools.partial(
            DenseLayer, self.growth_rate, bottleneck=self.bottleneck, dropout=self.dropout
        )
        return join(*(layer(**self.style.options) for _ in range(self.layers)))


class TransitionLayer(StyledBlock):
    """A 1×1 convolution to fewer channels, and the mean of each 2×2 window.

    It comes between two dense blocks: y = mean₂ₓ₂(W g(x)), where g is normalisation and
    activation.

    Shape:
        ``(C, H, W)`` to ``(⌊θC⌋, ⌊H/2⌋, ⌊W/2⌋)`` with θ = compression; C·⌊θC⌋ weights without
        normalisation.

    Args:
        compression: Fraction θ of the channels to keep, at least one channel.
        activation: As for `ResidualBlock`.
        normalization: As for `ResidualBlock`.
        place: As for `ResidualBlock`.
        name: Name in the network, in place of ``transitionlayer1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input is not an image of at least 2×2, or its number of channels is
            free.

    Reference:
        Huang, Liu, van der Maaten, Weinberger, "Densely connected convolutional networks",
        2017, section 3. Equal outputs under equal weights with the ``_Transition`` of
        ``torchvision.models.densenet``.

    Example:
        >>> from neuropil.layers import Input
        >>> (Input(256, 56, 56) >> TransitionLayer()).output_shape
        (128, 28, 28)
    """

    def __init__(
        self,
        compression: float = 0.5,
        *,
        activation: Choice = "relu",
        normalization: Choice = "batch",
        place: Place = "first",
        name: str | None = None,
    ) -> None:
        super().__init__(activation, normalization, place, name)
        share = number(compression, "TransitionLayer: compression", "(0, 1]")
        self.compression = share

    @override
    def compose(self, shape: Shape) -> Composable:
        if shape[0] is None:
            raise self.refuse("a known number of channels", shape, "give it in Input(…)")
        # 0.29 · 100 is 28.999999999999996 in floating point.
        filters = max(1, math.floor(round(self.compression * shape[0], 9)))
        return self.style.unit(filters, 1) >> AveragePooling(2)
