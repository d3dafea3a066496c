"""The rows of a summary: what is known of each call of a layer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from neuropil.analysis.memory import Memory, activation_memory
from neuropil.analysis.parameters import Counts, inner_calls, inner_networks, new_parameters
from neuropil.analysis.sight import Sight, sights
from neuropil.core.graph import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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


def rows_of(
    calls: Sequence[Call], counts: Sequence[Counts | None], memory: Memory | None, depth: int
) -> Iterator[Row]:
    """Yield a row for each call, each followed by those of the networks inside its layer."""
    seen = sights(calls)
    texts: dict[str, str] = {}
    sight, field, sees_all = None, None, False
    for place, (call, count) in enumerate(zip(calls, counts, strict=True)):
        shapes = call.known_shapes
        if seen[place] is not sight:
            sight = seen[place]
            field, sees_all = widest(sight)
        yield Row(
            name=call.name,
            layer=text_of(call.layer, texts),
            depth=0,
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
        if depth > 0 and not call.again:
            yield from inner_rows(call, depth - 1)


def inner_rows(call: Call, depth: int) -> Iterator[Row]:
    """Yield the rows of the networks inside a call's layer, one level further in."""
    for name, inner in inner_networks(call.layer).items():
        calls = inner_calls(inner, call.input_shapes or ())
        memory = activation_memory(calls, inner.graph.outputs)
        for row in rows_of(calls, list(new_parameters(calls)), memory, depth):
            full_name = f"{call.name}.{name}.{row.name}"
            yield row._replace(name=full_name, depth=row.depth + 1)


def widest(seen: Mapping[int, Sight] | None) -> tuple[tuple[int | None, ...] | None, bool]:
    """Return the largest receptive field over a network's inputs, and whether it is all."""
    seeing = [sight for sight in (seen or {}).values() if sight.fields]
    if not seeing:
        return None, False
    sizes = [tuple(field.size for field in sight.fields) for sight in seeing]
    if len(sizes) == 1:
        return sizes[0], seeing[0].everything
    # Inputs of different ranks, a picture and a signal: the first speaks for all.
    alike = [size for size in sizes if len(size) == len(sizes[0])]
    largest = tuple(None if None in axis else max(axis) for axis in zip(*alike, strict=True))
    return largest, all(sight.everything for sight in seeing)


def text_of(layer: Layer, texts: dict[str, str]) -> str:
    """Return a layer as it is written, without the name, which stands beside it.

    Args:
        layer: The layer.
        texts: What was found before: networks hold many equal layers, and writing one is slow.
    """
    key = f"{type(layer)}{layer.__dict__['_call']}"
    if key not in texts:
        texts[key] = re.sub(r"name='\w+', |(, )?name='\w+'", "", repr(layer))
    return texts[key]
