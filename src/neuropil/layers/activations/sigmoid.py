"""Activations with bounded outputs: sigmoids and softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import override

from neuropil.checks import whole
from neuropil.layers.activations.base import XAVIER, Activation

if TYPE_CHECKING:
    from neuropil.core import Shape
    from neuropil.layers.layer_options import Bias, Weight


class Sigmoid(Activation):
    """The logistic function, from 0 to 1: σ(x) = 1 / (1 + e⁻ˣ).

    Shape:
        ``(D)`` to ``(units)``, or ``(T, D)`` to ``(T, units)``; without units, any shape to
        the same.

    Args:
        units: Number of outputs of the affine map W x + b before it; None applies σ alone.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser.
        weight: Initial W, ``(units, D)``: an initialiser, a number or an array; by default
            ``XavierNormal()``, 2/(D + units), which suits a function that saturates at both
            ends.
        name: Name in the network, in place of ``sigmoid1``.

    Raises:
        ValueError: When `units` is not a whole number from 1 up.
        ShapeError: When a layer with units gets an image, or a last axis of free length.

    Reference:
        ``torch.sigmoid``.

    Example:
        >>> Sigmoid()(torch.tensor([[-1000.0, 0.0, 1000.0]]))
        tensor([[0.0000, 0.5000, 1.0000]])
        >>> Sigmoid(4).output_shape((10,))
        (4,)
    """

    activate = staticmethod(torch.sigmoid)
    without_activation = Activation.affine


class HardSigmoid(Activation):
    """A sigmoid of three straight pieces: max(0, min(1, 0.2x + 0.5)).

    Its slope is 0.2 between −2.5 and 2.5 and 0 outside. ``torch.nn.Hardsigmoid`` has x/6 in
    place of 0.2x, between −3 and 3.

    Shape:
        ``(D)`` to ``(units)``, or ``(T, D)`` to ``(T, units)``; without units, any shape to
        the same.

    Args:
        units: Number of outputs of the affine map W x + b before it; None applies the function
            alone.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser.
        weight: Initial W, ``(units, D)``: an initialiser, a number or an array; by default
            ``XavierNormal()``, 2/(D + units), which suits a function that saturates at both
            ends.
        name: Name in the network, in place of ``hardsigmoid1``.

    Raises:
        ValueError: When `units` is not a whole number from 1 up.
        ShapeError: When a layer with units gets an image, or a last axis of free length.

    Reference:
        Courbariaux, Bengio, David, "BinaryConnect", 2015, has slope 0.5; Theano and Keras 2
        have this one.

    Example:
        >>> HardSigmoid()(torch.tensor([[-3.0, 0.0, 1.0, 3.0]]))
        tensor([[0.0000, 0.5000, 0.7000, 1.0000]])
    """

    @staticmethod
    @override
    def activate(x: Tensor) -> Tensor:
        return torch.clamp(0.2 * x + 0.5, 0.0, 1.0)


class Tanh(Activation):
    """The hyperbolic tangent, from −1 to 1: tanh(x) = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ) = 2σ(2x) − 1.

    Shape:
        ``(D)`` to ``(units)``, or ``(T, D)`` to ``(T, units)``; without units, any shape to
        the same.

    Args:
        units: Number of outputs of the affine map W x + b before it; None applies tanh alone.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser.
        weight: Initial W, ``(units, D)``: an initialiser, a number or an array; by default
            ``XavierNormal()``, 2/(D + units), which suits a function that saturates at both
            ends.
        name: Name in the network, in place of ``tanh1``.

    Raises:
        ValueError: When `units` is not a whole number from 1 up.
        ShapeError: When a layer with units gets an image, or a last axis of free length.

    Reference:
        ``torch.tanh``.

    Example:
        >>> Tanh()(torch.tensor([[-1000.0, 0.0, 0.5]]))
        tensor([[-1.0000,  0.0000,  0.4621]])
    """

    activate = staticmethod(torch.tanh)


class Softmax(Activation):
    """Positive outputs that sum to 1: yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ).

    The largest x is subtracted first, to avoid overflow. Losses take the scores before the
    softmax, ``network.scores()``, instead of these probabilities.

    Shape:
        ``(D)`` to ``(units)``, or ``(T, D)`` to ``(T, units)``; without units, any shape to
        the same.

    Args:
        units: Number of outputs of the affine map W x + b before it; None applies softmax
            alone.
        axis: Axis along which the outputs sum to 1, counted without the batch; by default the
            last of ``(D)`` and ``(T, D)``, and the channels, axis 0, of images and volumes. For
            a signal ``(C, L)`` give ``axis=0``: after a layer that returns signals, such as
            `Convolution`, the default is refused, and an `Input` with two axes is read as ``(T,
            D)``.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser.
        weight: Initial W, ``(units, D)``: an initialiser, a number or an array; by default
            ``XavierNormal()``, 2/(D + units), which suits a function that saturates at both
            ends.
        name: Name in the network, in place of ``softmax1``.

    Raises:
        ValueError: When `units` is not a whole number from 1 up.
        ShapeError: When a layer with units gets an image, or a last axis of free length, the
            input has no axis `axis`, or it is a signal and no axis is given.

    Reference:
        ``torch.softmax``.

    Example:
        >>> Softmax()(torch.tensor([[0.0, 0.0], [1000.0, 0.0]]))
        tensor([[0.5000, 0.5000],
                [1.0000, 0.0000]])
        >>> Softmax(axis=0).output_shape((10, 8, 8))
        (10, 8, 8)
        >>> from neuropil.layers import Convolution, Input
        >>> Input(4, 16) >> Convolution(3, 3, padding="same") >> Softmax()
        Traceback (most recent call last):
            ...
        neuropil.core.shape.ShapeError: Softmax() would normalise over the positions of a signal
        (3, 16), channels first: give axis=0 for its channels, or axis=-1 for its positions.
    """

    without_activation = Activation.affine

    def __init__(
        self,
        units: int | None = None,
        *,
        axis: int | None = None,
        bias: Bias = True,
        weight: Weight = XAVIER,
        name: str | None = None,
    ) -> None:
        super().__init__(units, bias=bias, weight=weight, name=name)
        if axis is not None:
            axis = whole(axis, "Softmax: axis", minimum=-64)
        self.axis = axis
        self.assumes_sequence = axis is None and units is None

    @override
    def output_shape(self, shape: Shape) -> Shape:
        rank = len(shape)
        if self.axis is not None and not -rank <= self.axis < rank:
            fix = f"choose axis from {-rank} to {rank - 1}"
            raise self.refuse(f"an input with an axis {self.axis}", shape, fix)
        return super().output_shape(shape)

    @override
    def forward(self, x: Tensor) -> Tensor:
        if self.units is not None:
            x = F.linear(x, self.weight, self.bias)
        axis = self.axis
        if axis is None:
            return torch.softmax(x, 1 if x.ndim > 3 else -1)
        return torch.softmax(x, axis + 1 if axis >= 0 else axis)
