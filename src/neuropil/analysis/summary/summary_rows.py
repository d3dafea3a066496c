"""The rows of a summary, one for each call of a layer, and its totals."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from neuropil.analysis.block_parts import parts_of
from neuropil.analysis.cost.activation_memory import Memory, activation_memory
from neuropil.analysis.cost.parameters import (
    Counts,
    inner_calls,
    inner_networks,
    new_parameters,
)
from neuropil.analysis.receptive_field.receptive_propagation import fields_of_parts, widest
from neuropil.core.block import Block
from neuropil.core.graph import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from neuropil.analysis.calls import Call
    from neuropil.core import Layer, Shape


class Row(NamedTuple):
    """One call of a layer, for one sample; ``None`` means that a figure is not known yet.

    Args:
        name: The layer's name in its network.
        layer: The layer as source code, without its name.
        depth: 0 for the network's own layers, 1 for those inside one of them, and so on.
        takes: Names of the layers whose outputs it takes; ``"input"`` is an open end.
        input_shapes: Shape of each input.
        output_shape: Shape of the output.
        parameters: Number of parameters; 0 where an earlier row counts them.
        trainable: Number of trainable parameters.
        shared: Whether the layer was called before, so that an earlier row counts its
            parameters.
        multiply_adds: Number of multiplications followed by an addition.
        receptive_field: Largest number of inputs that an output sees along each axis; inside
            a layer, of that layer's inputs.
        sees_all: Whether each output sees the whole input.
        output_bytes: Memory of the output; 0 where it is a view of the input.
        training_bytes: Memory that training keeps for its backward pass.
    """

    name: str
    layer: str
    depth: int
    takes: tuple[str, ...]
    input_shapes: tuple[Shape, ...] | None
    output_shape: Shape | None
    parameters: int | None
    trainable: int | None
    shared: bool
    multiply_adds: int | None
    receptive_field: tuple[int | None, ...] | None
    sees_all: bool
    output_bytes: int | None
    training_bytes: int | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals of a network, for one sample; ``None`` means that a figure is not known yet.

    Args:
        parameters: Number of parameters, each counted once.
        trainable: Number of trainable parameters.
        frozen: Number of frozen parameters.
        parameter_bytes: Memory of the parameters.
        multiply_adds: Multiplications followed by an addition in one forward pass.
        inference_bytes: Peak memory of the activations in a forward pass.
        training_bytes: Memory of the activations kept for the backward pass.
    """

    parameters: int | None
    trainable: int | None
    frozen: int | None
    parameter_bytes: int | None
    multiply_adds: int | None
    inference_bytes: int | None
    training_bytes: int | None


def rows_of(
    calls: Sequence[Call], counts: Sequence[Counts | None], memory: Memory | None, depth: int
) -> Iterator[Row]:
    """Yield a row for each call, each followed by the rows of the layer's parts."""
    parts = parts_of(calls)
    make = RowMaker(parts.calls)
    for place, (call, count) in enumerate(zip(calls, counts, strict=True)):
        yield make.row(calls, place, parts.ends[place], count, memory)
        if depth > 0 and not call.again:
            if isinstance(call.layer, Block):
                yield from part_rows(make, parts.spans[place])
            yield from inner_rows(call, depth - 1)


class RowMaker:
    """Builds the rows of a network.

    Args:
        parts: The network's calls, with blocks expanded.
    """

    def __init__(self, parts: Sequence[Call]) -> None:
        self.parts = parts
        self.seen = fields_of_parts(parts)
        self.texts: dict[str, str] = {}
        self.last: tuple[Any, Any] = (None, widest(None))

    @functools.cached_property
    def memory(self) -> Memory | None:
        """Memory of the activations of the parts."""
        return activation_memory(self.parts, [])

    def row(
        self,
        calls: Sequence[Call],
        place: int,
        end: int,
        count: Counts | None,
        memory: Memory | None,
        depth: int = 0,
    ) -> Row:
        """Return the row of a call.

        Args:
            calls: All calls.
            place: Position of the call.
            end: Position of the part that returns its output.
            count: Its parameters that no earlier call uses.
            memory: Memory of all calls.
            depth: Level of nesting.
        """
        call = calls[place]
        if self.seen[end] is not self.last[0]:
            self.last = self.seen[end], widest(self.seen[end])
        field, sees_all = self.last[1]
        shapes = call.known_shapes
        return Row(
            name=call.name,
            layer=text_of(call.layer, self.texts),
            depth=depth,
            takes=tuple("input" if i == OPEN else calls[i].name for i in call.inputs),
            input_shapes=call.input_shapes,
            output_shape=call.shape,
            parameters=None if count is None else count.all,
            trainable=None if count is None else count.trainable,
            shared=call.again,
            multiply_adds=None if shapes is None else call.layer.multiply_adds(*shapes),
            receptive_field=field,
            sees_all=sees_all,
            output_bytes=memory and memory.outputs[place],
            training_bytes=memory and memory.kept[place],
        )


def part_rows(make: RowMaker, span: range) -> Iterator[Row]:
    """Yield the rows of the layers in a block."""
    counts = new_parameters(make.parts[span.start : span.stop])
    for place, count in zip(span, counts, strict=True):
        yield make.row(make.parts, place, place, count, make.memory, depth=1)


def inner_rows(call: Call, depth: int) -> Iterator[Row]:
    """Yield the rows of the networks inside a call's layer, one level deeper."""
    for name, inner in inner_networks(call.layer).items():
        calls = inner_calls(inner, call.input_shapes or ())
        memory = activation_memory(calls, inner.graph.outputs)
        for row in rows_of(calls, list(new_parameters(calls)), memory, depth):
            full_name = f"{call.name}.{name}.{row.name}"
            yield row._replace(name=full_name, depth=row.depth + 1)


def text_of(layer: Layer, texts: dict[str, str]) -> str:
    """Return a layer as source code, without its name, which has its own column.

    Args:
        layer: The layer.
        texts: Cache of texts: networks hold many equal layers, and formatting one is slow.
    """
    key = f"{type(layer)}{layer.__dict__['_call']}"
    if key not in texts:
        text = re.sub(r"name='\w+', |(, )?name='\w+'", "", repr(layer))
        texts[key] = re.sub(r"\s+", " ", text)
    return texts[key]
