"""The receptive field: which part of the input an output can see, on any graph of layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.analysis.calls import calls_of, network_of
from neuropil.analysis.quantities import field_size
from neuropil.analysis.receptive_field.receptive_propagation import Sight, sights, source_shapes
from neuropil.analysis.traced.receptive.module_fields import module_sight
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
    """What an output of a network sees, along each axis of the input after the channels.

    Args:
        size: How many neighbouring inputs an output sees at the most, zeros of padding among
            them; ``None`` where that depends on a free length.
        jump: How many inputs lie between what two neighbouring outputs see (the product of the
            strides); a fraction where layers enlarge; 0 where every output sees the same;
            ``None`` where branches of different strides meet, so that it varies.
        start: The first input that the first output sees, counted from 0; negative where it
            lies in padding; ``None`` where that depends on a free length.
        centre: The middle of what the first output sees, counted likewise.
        clipped: `size`, but at most the length of the input.
        everything: Whether all outputs see all that there is, as after GlobalPooling or a layer
            with units. After Flatten and Reshape each number sees what it saw before.

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
        """The effective stride: `jump` by its other name."""
        return self.jump

    @property
    def padding(self) -> tuple[int | None, ...]:
        """The effective padding: how far before the input the first output sees."""
        return tuple(None if start is None else -start for start in self.start)

    @override
    def __str__(self) -> str:
        """Return the size as people write it: ``212`` for a square, ``5×7``, or ``all``."""
        return field_size(self.size, sees_all=self.everything)


def receptive_field(
    network: Composable | nn.Module,
    name: str | None = None,
    *,
    input_shape: Example | None = None,
    input_name: str | None = None,
) -> ReceptiveField:
    """Return how much of its input an output of a network sees, from the layers' windows alone.

    Along one axis, after layers 1 … k of filter sizes F and strides S,

        R_k = 1 + Σ_{j≤k} (F_j − 1) · Π_{i<j} S_i,    jump_k = Π_{i≤k} S_i,

    with D(F − 1) + 1 in place of F for dilated filters. Where branches meet, the outputs see
    from the first to the last input that any branch sees. Reflected or repeated borders count
    as if the input went on. After layers that enlarge, outputs
    see more or less by their position; `size` is the most. Normalisation by statistics of the
    batch or the picture is not counted, since it adds two numbers and no pattern.

    `size` is that of an output far from the borders of an endless input, so it may exceed the
    input; `clipped` is no more than there is. Both are what an output *can* see;
    `effective_receptive_field` measures how much of it matters.

    Any other PyTorch module is followed operation by operation, through convolutions, pooling,
    sums, joined branches, slices and reshaping; the axes of its input are batch, channels,
    positions. What mixes all positions, such as attention, sees everything. The places of
    maxima, orders and masks see what decides them, and where Python is handed numbers all that
    is made afterwards sees what they depend on. An operation of which nobody knows what it sees
    is named and nothing is guessed.

    Args:
        network: A network, a layer, or any PyTorch module.
        name: The layer whose output is asked about, or a module's part such as ``"layer4.0"``
            (``"layer4.0@2"`` for its second call); by default the network's only output.
        input_shape: Lengths for the free axes, or the shape that an open network will be given.
            Only padding ``"same"`` with strides makes a difference between lengths. For a
            module, what it takes: a shape without the batch, or tensors.
        input_name: Which input is meant, where there are several; a module's have the names
            that its ``forward`` gives them.

    Raises:
        ShapeError: When the input's number of axes is not known, or nothing of it is seen.
        ValueError: When there is no layer or input of that name, a name is needed, or a module
            runs an operation of which nobody knows what it sees.

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
        return describe(*module_sight(network, name, input_shape, input_name))
    network = network_of(network)
    calls = calls_of(network, input_shape)
    place = output_place(network, name)
    seen = sights(calls)[place]
    if seen is None:
        raise ShapeError(
            "what the network sees depends on how many axes its input has: join it to an "
            "Input(…), or give input_shape, such as (3, None, None)."
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
        raise ValueError(f"the network has several outputs: name one of {names}.")
    return first


def input_place(
    network: Network, layer: str, seen: Mapping[int, Sight], name: str | None
) -> int:
    """Return the position of a named input, or of the only one that a layer sees.

    Raises:
        ValueError: When the layer sees several and none is named, or not the one named.
    """
    names = {"input" if place == OPEN else network.node_names[place]: place for place in seen}
    if name is None and len(names) > 1:
        raise ValueError(f"{layer!r} sees several inputs: choose input_name from {[*names]}.")
    if name is not None and name not in names:
        raise ValueError(f"{layer!r} sees the inputs {[*names]}, and not {name!r}.")
    return next(iter(seen)) if name is None else names[name]


def describe(sight: Sight, shape: Shape) -> ReceptiveField:
    """Return a sight in the words of its users."""
    firsts = [field.at(0) if field.spans and field.placed else None for field in sight.fields]
    sizes = tuple(field.size for field in sight.fields)
    return ReceptiveField(
        size=sizes,
        jump=tuple(whole(field.jump) for field in sight.fields),
        start=tuple(None if first is None else first[0] for first in firsts),
        centre=tuple(None if first is None else sum(first) / 2 for first in firsts),
        clipped=tuple(
            size if size is None or length is None else min(size, length)
            for size, length in zip(sizes, shape[1:], strict=True)
        ),
        everything=sight.everything,
    )


def whole(jump: Fraction | None) -> int | Fraction | None:
    """Return a fraction as an int where it is whole."""
    return jump if jump is None or jump.denominator > 1 else jump.numerator
