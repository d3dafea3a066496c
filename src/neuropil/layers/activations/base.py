"""Base class of the activation layers, and the affine map alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch.nn.functional as F
from torch import Tensor
from typing_extensions import override

from neuropil.checks import whole
from neuropil.core import Layer, Shape
from neuropil.core.arguments import plain
from neuropil.init import XavierNormal
from neuropil.layers.layer_options import (
    HE,
    Bias,
    Weight,
    initializer,
    known_count,
    refuse_unused,
    set_bias,
)
from neuropil.layers.rearrange import Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neuropil.core.window import Reach

XAVIER = XavierNormal()


class Activation(Layer):
    """Base class of the activations: a function of each value, after an optional affine map.

    y = f(x) or y = f(W x + b). A subclass defines `activate`, a function whose keyword
    arguments are in `options`, or overrides `forward`.

    Shape:
        With units ``(D)`` to ``(units)`` and ``(T, D)`` to ``(T, units)``; without, any shape
        to the same.

    Args:
        units: Number of outputs of the affine map; None applies the function alone.
        bias: Whether the map adds b, starting at zero; or its initial value.
        weight: Initial W, ``(units, D)``: an initialiser, a number or an array; by default
            ``XavierNormal()``, 2/(D + units), since no rectifier follows.
        name: Name in the network.

    Raises:
        ValueError: When `units` is not a whole number from 1 up.
        ShapeError: When a layer with units gets an image, or a last axis of free length.
    """

    activate: Callable[..., Tensor]
    options: Mapping[str, Any] = {}

    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        units: int | None = None,
        *,
        bias: Bias = True,
        weight: Weight = XAVIER,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.units = None if units is None else whole(units, f"{type(self).__name__}: units")
        if units is None:
            self.has_bias = False
            if bias is not True or (weight is not HE and weight is not XAVIER):  # for speed
                refuse_unused(self, "units", weight=weight, bias=plain(bias) is False or bias)
        else:
            self.channels_first = False  # units are the last axis
            self.initializers["weight"] = initializer(weight, f"{type(self).__name__}: weight")
            self.has_bias = set_bias(self, bias, "bias")

    @override
    def output_shape(self, shape: Shape) -> Shape:
        return shape if self.units is None else (*shape[:-1], self.map_size(shape)[0])

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        if self.units is None:
            return {}
        size = self.map_size(shape)
        return {"weight": size, "bias": size[:1]} if self.has_bias else {"weight": size}

    @override
    def multiply_adds(self, shape: Shape) -> int:
        if self.units is None:
            return 0
        return known_count(self, shape) * self.units

    @override
    def reaches(self, shape: Shape) -> tuple[Reach, ...] | None:
        return None if self.units is not None and len(shape) == 1 else ()

    def map_size(self, shape: Shape) -> tuple[int, int]:
        """Return the number of outputs and of inputs of the affine map.

        Raises:
            ShapeError: When the input is not a vector or sequence of known width.
        """
        rank, width = len(shape), shape[-1]
        if rank > 2:
            fix = f"put Flatten() or Convolution({self.units}, 1) before it"
            raise self.refuse("a vector (D) or a sequence (T, D)", shape, fix)
        if width is None:
            fix = "give it in Input(…), or replace Flatten() by GlobalPooling('avg')"
            raise self.refuse("a last axis of known length", shape, fix)
        return cast("int", self.units), width

    def affine(self) -> Layer:
        """Return the affine map before the function, with shared parameters."""
        layer: Layer = Identity(name=self.given_name)
        if self.units is not None:
            weight = self.initializers["weight"]
            bias = self.initializers.get("bias", self.has_bias)
            layer = Linear(self.units, bias=bias, weight=weight, name=self.given_name)
            layer._parameters = self._parameters
        if self.built_for is not None:
            layer.set_built(*self.built_for)
        layer.training = self.training
        return layer

    @override
    def forward(self, x: Tensor) -> Tensor:
        if self.units is not None:
            x = F.linear(x, self.weight, self.bias)
        return self.activate(x, **self.options)


class Linear(Activation):
    """An affine map: y = W x + b; without units, y = x.

    Shape:
        ``(D)`` to ``(units)``, or ``(T, D)`` to ``(T, units)``; without units, any shape to
        the same.

    Args:
        units: Number of outputs.
        bias: Whether b is added, starting at zero; or its initial value: a number, an array or
            an initialiser.
        weight: Initial W, ``(units, D)``: an initialiser, a number or an array; by default
            ``XavierNormal()``, 2/(D + units), since no rectifier follows. Files keep the
            weights but not the array: after loading, ``reset_parameters`` draws by the default.
        name: Name in the network, in place of ``linear1``.

    Raises:
        ValueError: When `units` is not a whole number from 1 up.
        ShapeError: When a layer with units gets an image, or a last axis of free length.

    Reference:
        ``torch.nn.Linear``.

    Example:
        >>> import torch
        >>> from neuropil.init import Constant
        >>> from neuropil.layers import Input
        >>> network = Input(3) >> Linear(2, weight=Constant(1.0))
        >>> network(torch.tensor([[1.0, 2.0, 3.0]])).tolist()
        [[6.0, 6.0]]
    """

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x if self.units is None else F.linear(x, self.weight, self.bias)
