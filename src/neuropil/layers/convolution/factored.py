"""Convolutions factored into a chain of smaller ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Generator, Tensor
from typing_extensions import override

from neuropil.checks import one_of
from neuropil.core.layer import fixed_shape
from neuropil.core.window import Window
from neuropil.layers.convolution.convolution import Filters, How, plan
from neuropil.layers.layer_options import HE, LECUN, Bias, Weight, known_count
from neuropil.layers.spatial import Pads, window_counts

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core import Shape
    from neuropil.core.layer import Initializer
    from neuropil.layers.activations.activation_functions import Function

POINT = Window(1)


class Step(NamedTuple):
    """One convolution of a chain.

    Args:
        name: Prefix of its parameters' names.
        outputs: Number of output channels.
        inputs: Number of input channels.
        windows: Window along each axis.
        per_channel: Whether it is depthwise, with one filter for each channel.
        has_bias: Whether a number is added to each output channel.
        activation: The function after it, if any.
    """

    name: str
    outputs: int
    inputs: int
    windows: tuple[Window, ...]
    per_channel: bool = False
    has_bias: bool = False
    activation: Function | None = None

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """The shape of the filters."""
        inputs = 1 if self.per_channel else self.inputs
        return (self.outputs, inputs, *(window.size for window in self.windows))

    @property
    def stage(self) -> Stage:
        """The data with which it runs."""
        run, pads, how = plan(self.windows, self.inputs if self.per_channel else 1)
        bias = f"{self.name}_bias" if self.has_bias else None
        return run, pads, how, f"{self.name}_weight", bias, self.activation


Stage = tuple[
    "Callable[..., Tensor]", "Pads | None", "How", str, "str | None", "Function | None"
]


class FactoredConvolution(Filters):
    """Base class of factored convolutions; a subclass defines `steps`.

    Args:
        filters: Number of output channels K.
        bias: Whether a number is added to each output channel; or its initial value.
        weight: Initial filters: an initialiser or a number; None for one that preserves the
            variance of the signal.
        window: Filter length, stride, dilation and padding.
        name: Name in the network.

    Raises:
        ValueError: When an option is out of its range.
    """

    def __init__(
        self,
        filters: int,
        bias: Bias,
        weight: Weight | None,
        window: tuple[Any, Any, Any, Any],
        name: str | None,
    ) -> None:
        super().__init__(filters, 1, bias, HE if weight is None else weight, window, name)
        start = self.initializers.pop("weight")  # each step has its own
        self.initializer = None if weight is None else start

    def steps(self, shape: Shape) -> tuple[Step, ...]:
        """Return the convolutions of the chain in order."""
        raise NotImplementedError

    @override
    def parameter_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        for step in self.steps(shape):
            shapes[f"{step.name}_weight"] = step.weight_shape
            if step.has_bias:
                shapes[f"{step.name}_bias"] = (step.outputs,)
        return shapes

    @override
    def multiply_adds(self, shape: Shape) -> int:
        known_count(self, self.output_shape(shape))
        lengths, total = shape[1:], 0
        for step in self.steps(shape):
            lengths = window_counts(step.windows, lengths)
            total += math.prod(step.weight_shape) * known_count(self, lengths)
        return total

    def set_initializers(self, steps: tuple[Step, ...]) -> None:
        """Set the initialiser of each parameter, which depends on what follows its step."""
        start = self.initializers.get("bias")
        for step in steps:
            fill = self.initializer or (HE if step.activation or step is steps[-1] else LECUN)
            self.initializers[f"{step.name}_weight"] = (
                PerChannel(fill) if step.per_channel else fill
            )
            if start is not None:
                self.initializers[f"{step.name}_bias"] = start

    @override
    def check_starts(self, *input_shapes: Shape) -> None:
        self.set_initializers(self.steps(*input_shapes))
        super().check_starts(*input_shapes)

    @override
    def build(self, *input_shapes: Shape) -> None:
        steps = self.steps(*input_shapes)
        self.set_initializers(steps)
        super().build(*input_shapes)
        # The rank is known now and never changes, as in `Convolution`.
        self.stages = tuple(step.stage for step in steps)

    @override
    def forward(self, x: Tensor) -> Tensor:
        for run, pads, how, weight, bias, activation in self.stages:
            if pads is not None:
                x = torch.constant_pad_nd(x, pads(x.shape[2:]))
            x = run(x, getattr(self, weight), bias and getattr(self, bias), *how)
            if activation is not None:
                x = activation(x)
        return x


@dataclass(frozen=True, slots=True)
class PerChannel:
    """An initialiser that is called with the fans of depthwise filters.

    Args:
        initializer: The initialiser.
    """

    initializer: Initializer

    @property
    def shape(self) -> Shape | None:
        """The shape of the only filters that it fills; None for any."""
        return fixed_shape(self.initializer)

    def __call__(self, tensor: Tensor, generator: Generator | None = None, **_: Any) -> object:
        """Fill the tensor: each output sums F·F inputs, and each input feeds F·F outputs."""
        taps = math.prod(tensor.shape[2:])
        return self.initializer(tensor, generator, fans=(taps, taps))


def is_pointwise_first(layer: FactoredConvolution, order: str) -> bool:
    """Return whether the chain starts with the pointwise convolution.

    Raises:
        ValueError: When the order is unknown.
    """
    orders = ("depthwise_first", "pointwise_first")
    return one_of(order, f"{type(layer).__name__}: order", orders) == "pointwise_first"
