"""Expansion of a network's blocks into the calls of their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neuropil.analysis.calls import Call, call_at
from neuropil.core.block import Block
from neuropil.core.generated_forward import may_overwrite
from neuropil.core.graph import OPEN, layer_names
from neuropil.core.graph_shapes import nodes_and_shapes

if TYPE_CHECKING:
    from collections.abc import Sequence


class Parts(NamedTuple):
    """The calls of a network with its blocks expanded.

    Args:
        calls: Calls of layers other than blocks; names inside blocks are dotted.
        spans: For each call of the network, the positions of its parts.
        blocks: For each block, nested blocks included, the positions of the parts whose outputs
            it takes, and the position of its last part.
        overwriting: Positions of the parts that write their output over their input.
    """

    calls: tuple[Call, ...]
    spans: tuple[range, ...]
    blocks: tuple[tuple[tuple[int, ...], int], ...]
    overwriting: frozenset[int]

    @property
    def ends(self) -> tuple[int, ...]:
        """For each call of the network, the position of the part that returns its output."""
        return tuple(span[-1] for span in self.spans)


def parts_of(calls: Sequence[Call], results: Sequence[int] = ()) -> Parts:
    """Expand blocks, and blocks nested in them.

    Blocks whose input shapes are unknown are not expanded.

    Args:
        calls: Calls of a network.
        results: Positions of its outputs.
    """
    found: list[Call] = []
    spans: list[range] = []
    blocks: list[tuple[tuple[int, ...], int]] = []
    overwriting: set[int] = set()
    own = overwriting_calls(calls, results)
    for place, call in enumerate(calls):
        start = len(found)
        sources = tuple(OPEN if i == OPEN else spans[i][-1] for i in call.inputs)
        if not isinstance(call.layer, Block) or call.input_shapes is None:
            found.append(call._replace(inputs=sources))
            overwriting |= {start} if place in own else set()
        else:
            inner = parts_of(block_calls(call, call.layer))
            for part in inner.calls:
                inputs = tuple(sources[0] if i == OPEN else start + i for i in part.inputs)
                name, again = f"{call.name}.{part.name}", call.again or part.again
                found.append(part._replace(name=name, inputs=inputs, again=again))
            blocks.append((sources, len(found) - 1))
            blocks += [
                (tuple(sources[0] if i == OPEN else start + i for i in taken), start + end)
                for taken, end in inner.blocks
            ]
            overwriting |= {start + place for place in inner.overwriting}
        spans.append(range(start, len(found)))
    return Parts(tuple(found), tuple(spans), tuple(blocks), frozenset(overwriting))


def overwriting_calls(calls: Sequence[Call], results: Sequence[int]) -> set[int]:
    """Return the positions of the calls that write over their input, as in `call_of`.

    These follow a layer that makes a new tensor with no other user, such as ReLU after a
    convolution.
    """
    last_use = {source: place for place, call in enumerate(calls) for source in call.inputs}
    last_use.update(dict.fromkeys(results, len(calls)))
    found: set[int] = set()
    for place, call in enumerate(calls):
        if call.layer.in_place is None or len(call.inputs) != 1 or OPEN in call.inputs:
            continue
        front = calls[call.inputs[0]]
        if last_use[call.inputs[0]] == place and front.layer.makes_new(len(front.inputs)):
            found |= {place} if may_overwrite(front.layer, call.layer) else set()
    return found


def block_calls(call: Call, block: Block) -> list[Call]:
    """Return the calls inside a block; the last one returns its output."""
    (shape,) = call.input_shapes or ((),)
    graph = block.plan(shape)
    names = {id(layer): name for name, layer in layer_names(graph).items()}
    return [
        call_at(node, names[id(node.layer)] + f"@{node.call + 1}" * bool(node.call), shapes)
        for node, shapes in nodes_and_shapes(graph, shape)
    ]
