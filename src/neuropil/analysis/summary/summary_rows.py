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
    """One call of a layer, for one sample; ``None`` stands for what is not known yet.

    Args:
        name: The layer's name in its network.
        layer: The layer as it is written, without its name.
        depth: 0 for the network's own layers, 1 for those inside one of them, and so on.
        takes: The names of the layers whose outputs it takes; ``"input"`` is an open end.
        input_shapes: The shape of each of these.
        output_shape: The shape of its output.
        parameters: How many it brings; 0 where they were counted in an earlier row.
        trainable: How many of these training changes.
        shared: Whether the layer was called before, so that its parameters count there.
        multiply_adds: Multiplications followed by an addition.
        receptive_field: How many inputs an output sees along each axis, at the most; inside a
            layer these are that layer's inputs.
        sees_all: Whether each output sees all that there is.
        output_bytes: What the output takes; 0 where it is the input in another shape.
        training_bytes: What it adds to what training keeps for the backward pass.
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
    """A network as a whole, for one sample; ``None`` stands for what is not known yet.

    Args:
        parameters: All of them, each once.
        trainable: Those that training changes.
        frozen: Those that stay.
        parameter_bytes: What they take.
        multiply_adds: Multiplications followed by an addition in one forward pass.
        inference_bytes: The most that activations take at once in a forward pass.
        training_bytes: The activations that a forward pass keeps for its backward pass.
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
    """Yield a row for each call, each followed by those of what its layer is made of."""
    parts = parts_of(calls)
    make = RowMaker(parts.calls)
    for place, (call, count) in enumerate(zip(calls, counts, strict=True)):
        takes = [OPEN if i == OPEN else calls[i].name for i in call.inputs]
        sizes = memory and (memory.outputs[place], memory.kept[place])
        yield make.row(call, parts.ends[place], takes, count, sizes)
        if depth > 0 and not call.again:
            if isinstance(call.layer, Block):
                yield from part_rows(make, parts.spans[place])
            yield from inner_rows(call, depth - 1)


class RowMaker:
    """Makes the rows of a network.

    Args:
        parts: The network's calls, blocks taken apart.
    """

    def __init__(self, parts: Sequence[Call]) -> None:
        self.parts = parts
        self.seen = fields_of_parts(parts)
        self.texts: dict[str, str] = {}
        self.last: tuple[Any, Any] = (None, widest(None))

    @functools.cached_property
    def memory(self) -> Memory | None:
        """What the activations of each part take."""
        return activation_memory(self.parts, [])

    def row(
        self,
        call: Call,
        end: int,
        takes: Sequence[str | int],
        count: Counts | None,
        sizes: tuple[int, int] | None,
        depth: int = 0,
    ) -> Row:
        """Return the row of a call.

        Args:
            call: The call.
            end: Which part gives its output.
            takes: The names of the calls that it takes from.
            count: The parameters that it brings.
            sizes: Bytes of its output, and kept in training.
            depth: How far inside.
        """
        if self.seen[end] is not self.last[0]:
            self.last = self.seen[end], widest(self.seen[end])
        field, sees_all = self.last[1]
        shapes = call.known_shapes
        return Row(
            name=call.name,
            layer=text_of(call.layer, self.texts),
            depth=depth,
            takes=tuple("input" if name == OPEN else str(name) for name in takes),
            input_shapes=call.input_shapes,
            output_shape=call.shape,
            parameters=None if count is None else count.all,
            trainable=None if count is None else count.trainable,
            shared=call.again,
            multiply_adds=None if shapes is None else call.layer.multiply_adds(*shapes),
            receptive_field=field,
            sees_all=sees_all,
            output_bytes=sizes and sizes[0],
            training_bytes=sizes and sizes[1],
        )


def part_rows(make: RowMaker, span: range) -> Iterator[Row]:
    """Yield the rows of the layers in a block."""
    parts = make.parts[span.start : span.stop]
    memory = make.memory
    for place, call, count in zip(span, parts, new_parameters(parts), strict=True):
        takes = [OPEN if i == OPEN else make.parts[i].name for i in call.inputs]
        sizes = memory and (memory.outputs[place], memory.kept[place])
        yield make.row(call, place, takes, count, sizes, depth=1)


def inner_rows(call: Call, depth: int) -> Iterator[Row]:
    """Yield the rows of the networks inside a call's layer, one level further in."""
    for name, inner in inner_networks(call.layer).items():
        calls = inner_calls(inner, call.input_shapes or ())
        memory = activation_memory(calls, inner.graph.outputs)
        for row in rows_of(calls, list(new_parameters(calls)), memory, depth):
            full_name = f"{call.name}.{name}.{row.name}"
            yield row._replace(name=full_name, depth=row.depth + 1)


def text_of(layer: Layer, texts: dict[str, str]) -> str:
    """Return a layer as it is written, without the name, which stands beside it.

    Args:
        layer: The layer.
        texts: What was found before: networks hold many equal layers, and writing one is slow.
    """
    key = f"{type(layer)}{layer.__dict__['_call']}"
    if key not in texts:
        text = re.sub(r"name='\w+', |(, )?name='\w+'", "", repr(layer))
        texts[key] = re.sub(r"\s+", " ", text)
    return texts[key]
