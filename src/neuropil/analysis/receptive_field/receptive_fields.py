"""The receptive field: the part of the input that an output can see, on any graph of layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.analysis.calls import calls_of, network_of
from neuropil.analysis.quantities import field_size
from neuropil.analysis.receptive_field.receptive_propagation import (
    AxisFields,
    fields_of_calls,
    source_shapes,
)
from neuropil.analysis.traced.receptive.module_fields import module_field
from neuropil.analysis.traced.runs.meta_copy import is_foreign
from neuropil.core import ShapeError
from neuropil.core.graph import OPEN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from torch import nn

    from neuropil.analysis.traced.runs.example_inputs import Example
    from neuropil.core import Network, Shape
    from neuropil.core.layer import Composable


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """Receptive field of a network's output, along each axis of the input after the channels.

    Args:
        size: Largest number of neighbouring inputs that an output sees, zeros of padding
            included; ``None`` where that depends on a free length.
        jump: Distance in the input between the fields of two neighbouring outputs (the product
            of the strides); a fraction where layers upsample; 0 where every output sees the
            same; ``None`` where branches of different strides meet, so that it varies.
        start: First input that the first output sees, counted from 0; negative where it lies
            in padding; ``None`` where that depends on a free length.
        centre: Centre of the first output's field, counted likewise.
        clipped: `size`, but at most the length of the input.
        everything: Whether all outputs see the whole input, as after GlobalPooling or a layer
            with units. After Flatten and Reshape, each element keeps its field.

    Example:
        >>> field = ReceptiveField((5,), (2,), (-2,), (0.0,), (4,), everything=False)
        >>> print(field, field.size, field.clipped)
        5 (5,) (4,)
        >>> field.stride, field.padding
        ((2,), (2,))
    """

    size: tuple[int | None, ...]
    jump: tuple[int | Fraction | None, ...]
    start: tuple[int | None, ...]
    centre: tuple[float | None, ...]
    clipped: tuple[int | None, ...]
    everything: bool

    @property
    def stride(self) -> tuple[int | Fraction | None, ...]:
        """The effective stride: another name for `jump`."""
        return self.jump

    @property
    def padding(self) -> tuple[int | None, ...]:
        """The effective padding: how far before the input the first output's field starts."""
        return tuple(None if start is None else -start for start in self.start)

    @override
    def __str__(self) -> str:
        """Return the size in its usual form: ``212`` for a square, ``5×7``, or ``all``."""
        return field_size(self.size, sees_all=self.everything)


def receptive_field(
    network: Composable | nn.Module,
    name: str | None = None,
    *,
    input_shape: Example | None = None,
    input_name: str | None = None,
) -> ReceptiveField:
    """Return the receptive field of a network's output, computed from the layers' windows.

    Along one axis, after layers 1 … k of filter sizes F and strides S,

        R_k = 1 + Σ_{j≤k} (F_j − 1) · Π_{i<j} S_i,    jump_k = Π_{i≤k} S_i,

    with D(F − 1) + 1 in place of F for dilated filters. Where branches meet, the outputs see
    from the first to the last input that any branch sees. Reflected or repeated borders count
    as if the input continued. After layers that upsample, the size depends on the position;
    `size` is the largest. Normalisation by statistics of the batch or the image is not counted,
    since it adds two numbers and no pattern.

    `size` is that of an output far from the borders of an endless input, so it may exceed the
    input; `clipped` is at most the input's length. Both are what an output *can* see;
    `effective_receptive_field` measures how much of it matters.

    Any other PyTorch module is followed operation by operation, through convolutions, pooling,
    sums, concatenation, slices and reshaping; the axes of its input are batch, channels,
    positions. Operations that mix all positions, such as attention, see everything. Indices of
    maxima, orders and masks see the values that determine them. Once Python has read data, all
    values made afterwards see what these data depend on. Where an operation has no rule, an
    error names it; nothing is guessed.

    Args:
        network: A network, a layer, or any PyTorch module.
        name: The layer to analyse, or a module's part such as ``"layer4.0"``
            (``"layer4.0@2"`` for its second call); by default the network's only output.
        input_shape: Lengths for the free axes, or the input shape of an open network. Only
            padding ``"same"`` with strides makes a difference between lengths. For a module,
            its input: a shape without the batch, or tensors.
        input_name: The input to analyse, where there are several; a module's inputs are named
            by the parameters of its ``forward``.

    Raises:
        ShapeError: When the input's number of axes is not known, or the output does not depend
            on it.
        ValueError: When no layer or input has that name, a name is required but missing, or a
            module runs an operation that has no rule.

    Reference:
        Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks",
        Distill, 2019.

    Example:
        >>> from neuropil.layers import Convolution, Input, MaxPooling
        >>> network = (
        ...     Input(1, 28, 28) >> Convolution(8, 5) >> MaxPooling(2) >> Convolution(8, 3)
        ... )
        >>> field = receptive_field(network)  # 1 + 4 + 1 + 2·2
        >>> field.size, field.jump, field.centre
        ((10, 10), (2, 2), (4.5, 4.5))
        >>> print(receptive_field(network, "maxpooling1"))
        6
    """
    if is_foreign(network):
        return describe(*module_field(network, name, input_shape, input_name))
    network = network_of(network)
    calls = calls_of(network, input_shape)
    place = output_place(network, name)
    seen = fields_of_calls(calls)[place]
    if seen is None:
        raise ShapeError(
            "the receptive field depends on the number of axes of the network's input: start "
            "the network with an Input(…), or give input_shape, such as (3, None, None)."
        )
    source = input_place(network, calls[place].name, seen, input_name)
    return describe(seen[source], source_shapes(calls)[source])


def output_place(network: Network, name: str | None) -> int:
    """Return the position of a named layer, or of the only output.

    Raises:
        ValueError: When there are several outputs and none is named.
    """
    if name is not None:
        return network.position(name)
    first, *others = network.graph.outputs
    if others:
        names = [network.node_names[place] for place in network.graph.outputs]
        raise ValueError(f"the network has several outputs: choose name from {names}.")
    return first


def input_place(
    network: Network, layer: str, seen: Mapping[int, AxisFields], name: str | None
) -> int:
    """Return the position of a named input, or of the only one that a layer depends on.

    Raises:
        ValueError: When several inputs are possible and none is named, or the layer does not
            depend on the named one.
    """
    names = {"input" if place == OPEN else network.node_names[place]: place for place in seen}
    if name is None and len(names) > 1:
        raise ValueError(
            f"{layer!r} depends on several inputs: choose input_name from {[*names]}."
        )
    if name is not None and name not in names:
        raise ValueError(
            f"{layer!r} does not depend on {name!r}: choose input_name from {[*names]}."
        )
    return next(iter(seen)) if name is None else names[name]


def describe(axis_fields: AxisFields, shape: Shape) -> ReceptiveField:
    """Return the public description of a receptive field."""
    firsts = [
        field.at(0) if field.spans and field.placed else None for field in axis_fields.fields
    ]
    sizes = tuple(field.size for field in axis_fields.fields)
    return ReceptiveField(
        size=sizes,
        jump=tuple(to_int(field.jump) for field in axis_fields.fields),
        start=tuple(None if first is None else first[0] for first in firsts),
        centre=tuple(None if first is None else sum(first) / 2 for first in firsts),
        clipped=tuple(
            size if size is None or length is None else min(size, length)
            for size, length in zip(sizes, shape[1:], strict=True)
        ),
        everything=axis_fields.everything,
    )


def to_int(jump: Fraction | None) -> int | Fraction | None:
    """Return a fraction as an int where it is an integer."""
    return jump if jump is None or jump.denominator > 1 else jump.numerator
