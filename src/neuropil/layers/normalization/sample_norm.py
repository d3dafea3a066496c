"""Layers that normalise the values within each sample to mean 0 and variance 1."""

from __future__ import annotations

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor
from typing_extensions import override

from neuropil.checks import flag, number, whole
from neuropil.core import Layer, Shape
from neuropil.core.shape import count
from neuropil.init import Constant
from neuropil.layers.layer_options import Bias, Weight, initializer, refuse_unused, set_bias

ONES = Constant(1.0)


class Normalization(Layer):
    """Base class of the normalisation layers: y = γ (x − mean) / √(variance + ε) + β.

    The variance is the biased one. γ (``weight``) starts at one and β (``bias``) at zero.

    Args:
        eps: ε, which keeps the root away from zero.
        affine: Whether to learn γ and β.
        weight: Initial values of γ: an initialiser, a number or an array.
        bias: Whether to learn β, starting at zero; or its initial values.
        name: Name in the network.

    Raises:
        ValueError: When `eps` is not above zero.
    """

    # The axis with one γ and β for each of its entries.
    channel_axis: ClassVar[int] = 0

    weight: Tensor | None
    bias: Tensor | None

    def __init__(
        self,
        *,
        eps: float = 1e-5,
        affine: bool = True,
        weight: Weight = ONES,
        bias: Bias = True,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.eps = number(eps, f"{type(self).__name__}: eps", "(0, inf)")
        self.affine = flag(affine, f"{type(self).__name__}: affine")
        if self.affine:
            self.initializers["weight"] = initializer(weight, f"{type(self).__name__}: weight")
            self.has_bias = set_bias(self, bias, "bias")
        else:
            refuse_unused(self, "affine=True", weight=weight, bias=bias)
            self._parameters.update(weight=None, bias=None)

    @override
    def output_shape(self, shape: Shape) -> Shape:
        self.channels(shape)
        if self.values_together(shape) == 1:
            fix = "a single value would always become 0; leave the layer out"
            raise self.refuse("more than one value to normalise together", shape, fix)
        return shape

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        size = (self.channels(shape),)
        if not self.affine:
            return {}
        return {"weight": size, "bias": size} if self.has_bias else {"weight": size}

    def channels(self, shape: Shape) -> int:
        """Return the number of γ and of β.

        Raises:
            ShapeError: When that is free.
        """
        channels = shape[self.channel_axis]
        if channels is None:
            what = "number of channels" if self.channel_axis == 0 else "last axis"
            raise self.refuse(f"a known {what}", shape, "give it in Input(…)")
        return channels

    def values_together(self, shape: Shape) -> int | None:  # noqa: ARG002 - subclasses use it
        """Return the number of values normalised together in one sample; None if free."""
        return None


class LayerNorm(Normalization):
    """Normalise the last axis of each sample: the features of a vector, or of each time step.

    y = γ (x − μ) / √(σ² + ε) + β, with μ and σ² over the last axis; the same in training and
    at test time.

    Shape:
        ``(D)`` or ``(T, D)`` to the same; T may be free. Images are refused, since their last
        axis is only the width: ``GroupNorm(1)`` normalises a whole image. (Receptive fields
        ignore the normalisation over positions, here and below.)

    Args:
        eps: ε, which keeps the root away from zero.
        affine: Whether to learn γ (``weight``) and β (``bias``), one for each feature.
        weight: Initial values of γ: an initialiser, a number or an array.
        bias: Whether to learn β, starting at zero; or its initial values.
        name: Name in the network, in place of ``layernorm1``.

    Raises:
        ValueError: When `eps` is not above zero.
        ShapeError: When the input is an image, or its last axis is free or of length 1.

    Reference:
        Ba, Kiros, Hinton, "Layer normalization", 2016; ``torch.nn.LayerNorm``.

    Example:
        >>> import torch
        >>> from neuropil.layers import Input
        >>> network = Input(2) >> LayerNorm()
        >>> network(torch.tensor([[1.0, 3.0], [5.0, 5.0]])).detach()
        tensor([[-1.0000,  1.0000],
                [ 0.0000,  0.0000]])
    """

    channel_axis: ClassVar[int] = -1
    channels_first = False

    @override
    def channels(self, shape: Shape) -> int:
        if len(shape) > 2:
            fix = "use GroupNorm(1), which normalises a whole image"
            raise self.refuse("a vector (D) or a sequence (T, D)", shape, fix)
        return super().channels(shape)

    @override
    def values_together(self, shape: Shape) -> int | None:
        return shape[-1]

    @override
    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.eps)


class GroupNorm(Normalization):
    """Normalise groups of neighbouring channels, with all their positions, in each sample.

    y = γ (x − μ) / √(σ² + ε) + β, with μ and σ² over a group and γ and β for each channel; the
    same in training and at test time, independent of the batch.

    Shape:
        ``(C)``, ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to the same; C is a multiple of
        `groups`. Free positions stay free.

    Args:
        groups: Number of groups; 1 normalises all values of a sample together.
        eps: ε, which keeps the root away from zero.
        affine: Whether to learn γ (``weight``) and β (``bias``), one for each channel.
        weight: Initial values of γ: an initialiser, a number or an array.
        bias: Whether to learn β, starting at zero; or its initial values.
        name: Name in the network, in place of ``groupnorm1``.

    Raises:
        ValueError: When an option is out of its range.
        ShapeError: When the groups do not divide the channels, their number is free, or a group
            is a single value.

    Reference:
        Wu and He, "Group normalization", 2018; ``torch.nn.GroupNorm``.

    Example:
        >>> import torch
        >>> from neuropil.layers import Input
        >>> network = Input(4) >> GroupNorm(2)
        >>> network(torch.tensor([[1.0, 3.0, 5.0, 9.0]])).detach()
        tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """

    channels_first = True

    def __init__(
        self,
        groups: int,
        *,
        eps: float = 1e-5,
        affine: bool = True,
        weight: Weight = ONES,
        bias: Bias = True,
        name: str | None = None,
    ) -> None:
        super().__init__(eps=eps, affine=affine, weight=weight, bias=bias, name=name)
        self.groups = whole(groups, "GroupNorm: groups")

    @override
    def channels(self, shape: Shape) -> int:
        channels = super().channels(shape)
        if channels % self.groups:
            fix = f"choose groups from the divisors of {channels}"
            raise self.refuse(
                f"a number of channels that its {self.groups} groups divide", shape, fix
            )
        return channels

    @override
    def values_together(self, shape: Shape) -> int | None:
        return count((self.channels(shape) // self.groups, *shape[1:]))

    @override
    def forward(self, x: Tensor) -> Tensor:
        return F.group_norm(x, self.groups, self.weight, self.bias, self.eps)


class InstanceNorm(Normalization):
    """Normalise each channel of each sample over its positions.

    y = γ (x − μ) / √(σ² + ε) + β, with μ and σ² over the positions of one channel; the same in
    training and at test time. It removes the contrast of an image, as style transfer needs.

    Shape:
        ``(C, L)``, ``(C, H, W)`` or ``(C, D, H, W)`` to the same. Free positions stay free.

    Args:
        eps: ε, which keeps the root away from zero.
        affine: Whether to learn γ (``weight``) and β (``bias``), one for each channel; not by
            default, as in torch.
        weight: Initial values of γ: an initialiser, a number or an array.
        bias: Whether to learn β, starting at zero; or its initial values.
        name: Name in the network, in place of ``instancenorm1``.

    Raises:
        ValueError: When `eps` is not above zero.
        ShapeError: When the input has at most one position to normalise over, or a free number
            of channels.

    Reference:
        Ulyanov, Vedaldi, Lempitsky, "Instance normalization: the missing ingredient for fast
        stylization", 2016; ``torch.nn.InstanceNorm2d``.

    Example:
        >>> import torch
        >>> from neuropil.layers import Input
        >>> network = Input(2, 2) >> InstanceNorm()
        >>> network(torch.tensor([[[1.0, 3.0], [10.0, 30.0]]]))
        tensor([[[-1.0000,  1.0000],
                 [-1.0000,  1.0000]]])
    """

    channels_first = True

    def __init__(
        self,
        *,
        eps: float = 1e-5,
        affine: bool = False,
        weight: Weight = ONES,
        bias: Bias = True,
        name: str | None = None,
    ) -> None:
        super().__init__(eps=eps, affine=affine, weight=weight, bias=bias, name=name)

    @override
    def values_together(self, shape: Shape) -> int | None:
        return count(shape[1:])

    @override
    def forward(self, x: Tensor) -> Tensor:
        # Groups of one channel: the same values as `F.instance_norm`, three times as fast.
        return F.group_norm(x, x.shape[1], self.weight, self.bias, self.eps)
