"""Base class of residual blocks: the shortcut and the sum."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch.nn.functional as F
from typing_extensions import override

from neuropil.checks import number, one_of, whole
from neuropil.core import Layer, Network, Shape, ShapeError, join
from neuropil.core.window import Reach, ceil_div
from neuropil.layers.blocks.block_style import HE, Choice, Place, StyledBlock
from neuropil.layers.convolution.convolution import Convolution
from neuropil.layers.mixing.merge import Elementwise
from neuropil.layers.noise import StochasticDepth
from neuropil.layers.rearrange import Identity
from neuropil.layers.spatial import spatial_rank

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.core.layer import Composable

Shortcut: TypeAlias = Literal["auto", "identity", "projection", "zeros"]
SHORTCUTS = ("auto", "identity", "projection", "zeros", None)


class Residual(StyledBlock):
    """Base class of the residual blocks: shortcut, sum, and activation after the sum.

    Args:
        filters: Output channels of the block.
        stride: Step of its first window.
        dilation: Distance between the taps of its windows.
        first_dilation: That of the window with the stride; by default `dilation`.
        activation: As in `Style`.
        normalization: As in `Style`.
        place: As in `Style`.
        shortcut: How the input is brought to the sum.
        stochastic_depth: Probability of skipping the branch in training.
        name: Name in the network.

    Raises:
        ValueError: When an option is out of its range.
    """

    def __init__(
        self,
        filters: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        first_dilation: int | None = None,
        activation: Choice = "relu",
        normalization: Choice = "batch",
        place: Place = "before",
        shortcut: Shortcut | None = "auto",
        stochastic_depth: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(activation, normalization, place, name)
        who = type(self).__name__
        self.filters = whole(filters, f"{who}: filters")
        self.stride = whole(stride, f"{who}: stride")
        self.dilation = whole(dilation, f"{who}: dilation")
        if first_dilation is None:
            self.first_dilation = self.dilation
        else:
            self.first_dilation = whole(first_dilation, f"{who}: first_dilation")
        self.stochastic_depth = number(stochastic_depth, f"{who}: stochastic_depth", "[0, 1)")
        self.shortcut = one_of(shortcut, f"{who}: shortcut", SHORTCUTS)

    def body(self) -> list[Network]:
        """Return the convolutions of the residual branch, in the style of the block."""
        raise NotImplementedError

    @override
    def compose(self, shape: Shape) -> Composable:
        body = join(*self.body())
        if self.shortcut is None:
            return body
        front: list[Network] = []
        first = self.style.place == "first"
        projects = self.projects(shape)
        if first and projects:
            # The projection also takes the activated input, so both come after the activation.
            ready = len(self.style.normalize()) + len(self.style.activate())
            names = body.node_names
            if ready:
                front, body = [body.upto(names[ready - 1])], body.after(names[ready - 1])
        if self.stochastic_depth:
            body = body >> StochasticDepth(self.stochastic_depth)
        around = self.projection() if projects else self.shortcut_layer(shape)
        return join(*front, body | around, Elementwise("add"), *self.after_sum())

    def after_sum(self) -> list[Layer]:
        """Return the layers after the sum: the activation, unless it comes first."""
        return [] if self.style.place == "first" else self.style.activate()

    def projects(self, shape: Shape) -> bool:
        """Return whether the shortcut is a convolution."""
        fits = self.stride == 1 and shape[0] == self.filters
        return self.shortcut == "projection" or (self.shortcut == "auto" and not fits)

    def projection(self) -> Composable:
        """Return the 1×1 convolution of the shortcut."""
        if self.style.place == "first":
            return Convolution(
                self.filters, 1, stride=self.stride, bias=self.style.has_bias, weight=HE
            )
        return self.style.unit(self.filters, 1, stride=self.stride, activates=False)

    def shortcut_layer(self, shape: Shape) -> Layer:
        """Return the layer of a shortcut without weights.

        Raises:
            ShapeError: When the shortcut is the identity and the shapes differ.
        """
        if self.stride == 1 and shape[0] == self.filters:
            return Identity()
        if self.shortcut == "zeros":
            return ZeroShortcut(self.filters, self.stride)
        raise ShapeError(
            f"shortcut='identity' needs {self.filters} channels and stride 1, got "
            f"{shape[0]} channels and stride {self.stride}: take 'auto' or 'projection'"
        )


class ZeroShortcut(Layer):
    """Take every `stride`-th position and pad with channels of zeros, half at the start.

    Args:
        filters: Output channels, at least as many as the input has.
        stride: Step between the positions taken.
        name: Name in the network.

    Raises:
        ShapeError: When the input is not an image or has more channels.

    Reference:
        Option A of He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2016.

    Example:
        >>> ZeroShortcut(4, 2).output_shape((2, 5, 5))
        (4, 3, 3)
    """

    def __init__(self, filters: int, stride: int, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.filters = filters
        self.stride = stride

    @override
    def output_shape(self, shape: Shape) -> Shape:
        spatial_rank(self, shape)
        if shape[0] is None or shape[0] > self.filters:
            raise self.refuse(
                f"at most {self.filters} channels", shape, "take shortcut='projection'"
            )
        lengths = (None if n is None else ceil_div(n, self.stride) for n in shape[1:])
        return (self.filters, *lengths)

    @override
    def reaches(self, shape: Shape) -> tuple[Reach, ...]:
        return (Reach(1, Fraction(self.stride), Fraction(0)),) * (len(shape) - 1)

    @override
    def forward(self, x: Tensor) -> Tensor:
        every = (slice(None), slice(None), *[slice(None, None, self.stride)] * (x.ndim - 2))
        more = self.filters - x.shape[1]
        return F.pad(x[every], (0, 0) * (x.ndim - 2) + (more // 2, more - more // 2))
