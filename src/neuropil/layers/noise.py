"""Layers that add noise in training and are the identity at test time."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import override

from neuropil.checks import flag, number
from neuropil.core import Layer, Shape
from neuropil.core.shape import per_axis
from neuropil.layers.spatial import options_over

MAX_POOLING = {1: torch.max_pool1d, 2: torch.max_pool2d, 3: torch.max_pool3d}


class Dropout(Layer):
    """Set values to zero at random in training: y = x·m / (1 − rate), m ∈ {0, 1}.

    Each m is 0 with probability `rate`; dividing by 1 − rate keeps the expectation, so that no
    scaling is needed at test time, when y = x.

    Shape:
        ``(…)`` to the same; free axes stay free.

    Args:
        rate: Probability of dropping a value, from 0 up to but not including 1.
        per_channel: Whether to drop whole channels (axis 0) instead of single values, since
            neighbouring pixels carry similar information.
        name: Name in the network, in place of ``dropout1``.

    Raises:
        ValueError: When `rate` is out of its range.

    Reference:
        Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout", 2014; by channel:
        Tompson et al., "Efficient object localization using convolutional networks", 2015.

    Example:
        >>> layer = Dropout(0.5)
        >>> sorted(set(layer(torch.ones(1, 1000)).flatten().tolist()))
        [0.0, 2.0]
        >>> layer.eval()(torch.ones(1, 3)).tolist()
        [[1.0, 1.0, 1.0]]
    """

    def __init__(
        self, rate: float, *, per_channel: bool = False, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.rate = number(rate, "Dropout: rate", "[0, 1)")
        self.per_channel = flag(per_channel, "Dropout: per_channel")

    @override
    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if self.per_channel:
            ones = x.new_ones((*x.shape[:2], *[1] * (x.ndim - 2)))
            return x * F.dropout(ones, self.rate)
        return F.dropout(x, self.rate)


class StochasticDepth(Layer):
    """Drop a branch for whole samples at random in training: y = x·m / (1 − rate).

    m ∈ {0, 1} is one number per sample, 0 with probability `rate`; y = x at test time. Put it
    at the end of a residual branch.

    Shape:
        ``(…)`` to the same; free axes stay free.

    Args:
        rate: Probability of dropping a sample, from 0 up to but not including 1.
        name: Name in the network, in place of ``stochasticdepth1``.

    Raises:
        ValueError: When `rate` is out of its range.

    Reference:
        Huang, Sun, Liu, Sedra, Weinberger, "Deep networks with stochastic depth", 2016; scaled
        in training, where the paper scales at test time.

    Example:
        >>> layer = StochasticDepth(0.5)
        >>> sorted(set(layer(torch.ones(100, 3)).sum(1).tolist()))
        [0.0, 6.0]
    """

    def __init__(self, rate: float, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.rate = number(rate, "StochasticDepth: rate", "[0, 1)")

    @override
    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return x * F.dropout(x.new_ones((len(x), *[1] * (x.ndim - 1))), self.rate)


class GaussianNoise(Layer):
    """Add noise in training: y = x + n, each n drawn from N(0, std²); y = x at test time.

    Shape:
        ``(…)`` to the same; free axes stay free.

    Args:
        std: Standard deviation of the noise, in the units of x.
        name: Name in the network, in place of ``gaussiannoise1``.

    Raises:
        ValueError: When `std` is below zero.

    Reference:
        Bishop, "Training with noise is equivalent to Tikhonov regularization", 1995.

    Example:
        >>> layer = GaussianNoise(0.5)
        >>> round(layer(torch.ones(1, 100_000)).std().item(), 1)
        0.5
        >>> layer.eval()(torch.ones(1, 3)).tolist()
        [[1.0, 1.0, 1.0]]
    """

    def __init__(self, std: float = 0.1, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.std = number(std, "GaussianNoise: std", "[0, inf)")

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x + self.std * torch.randn_like(x) if self.training else x


class DropBlock(Layer):
    """Drop blocks of neighbouring positions in training, separately in each channel.

    y = x·m / (1 − rate), where m is 0 in blocks whose corners are drawn at random, including
    corners outside the image whose block would overlap it; y = x at test time. Corners are
    drawn with probability γ = 1 − (1 − rate)^(1/B), with B positions in a block. So each
    position is dropped with probability exactly `rate`, even at the border, and the expectation
    is preserved.

    The paper draws only blocks that lie entirely inside the image and neglects that blocks
    overlap, so it drops less than its rate, above all at the border. Like the better variant in
    the paper, this layer draws separate blocks for each channel.

    Shape:
        ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to the same; free axes stay free.

    Args:
        rate: Probability of dropping a value, from 0 up to but not including 1.
        block_size: Length of a block along all axes, or one length per axis.
        name: Name in the network, in place of ``dropblock1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the input has no axes after its channels, or another number of them
            than `block_size`.

    Reference:
        Ghiasi, Lin, Le, "DropBlock: a regularization method for convolutional networks", 2018.

    Example:
        >>> layer = DropBlock(0.5, 8)
        >>> round((layer(torch.ones(1, 64, 64, 64)) == 0).float().mean().item(), 1)
        0.5
    """

    def __init__(
        self,
        rate: float,
        block_size: int | tuple[int, ...] = 7,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.rate = number(rate, "DropBlock: rate", "[0, 1)")
        rank = len(block_size) if isinstance(block_size, tuple | list) else 1
        per_axis(block_size, rank, "DropBlock: block_size")
        self.block_size = block_size

    @override
    def output_shape(self, shape: Shape) -> Shape:
        options_over(self, shape, self.blocks)
        return shape

    def blocks(self, rank: int) -> tuple[int, ...]:
        """Return the length of a block along each axis."""
        return per_axis(self.block_size, rank, "block_size")

    @override
    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        rank = x.ndim - 2
        size = self.blocks(rank)
        # 1 − (1 − rate)^(1/B), computed without cancellation at small rates.
        gamma = -math.expm1(math.log1p(-self.rate) / math.prod(size))
        places = [n + block - 1 for n, block in zip(x.shape[2:], size, strict=True)]
        corners = x.new_empty((*x.shape[:2], *places)).bernoulli_(gamma)
        dropped = MAX_POOLING[rank](corners, size, 1)
        return x * ((1 - dropped) / (1 - self.rate))
