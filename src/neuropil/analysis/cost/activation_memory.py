"""How much memory activations take, freed as a forward pass does or kept for training."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import torch

from neuropil.analysis.calls import parts_of
from neuropil.analysis.cost.parameters import inner_calls, inner_networks
from neuropil.analysis.cost.retained import Retained, retained
from neuropil.core.graph import OPEN
from neuropil.core.shape import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.calls import Call
    from neuropil.core import Shape
    from neuropil.core.graph import Kind


class Memory(NamedTuple):
    """Bytes that the activations of one sample take.

    Args:
        inference: The most that is alive at once in a forward pass without gradients.
        training: What a forward pass leaves behind for its backward pass.
        outputs: What each call's output takes; 0 where it is its input in another shape.
        kept: What each call adds to `training`.
    """

    inference: int
    training: int
    outputs: tuple[int, ...]
    kept: tuple[int, ...]


def activation_memory(calls: Sequence[Call], results: Sequence[int]) -> Memory | None:
    """Return what the activations take; ``None`` where a length is not known.

    Args:
        calls: All calls of a network.
        results: The positions of the network's outputs.
    """
    if any(call.known_shapes is None or None in (call.shape or (None,)) for call in calls):
        return None
    parts = parts_of(calls)
    pass_ = Pass(parts.calls, [parts.ends[place] for place in results])
    kept, outputs = pass_.kept(), pass_.outputs()
    return Memory(
        pass_.peak(),
        sum(kept),
        tuple(outputs[end] for end in parts.ends),
        tuple(sum(kept[span.start : span.stop]) for span in parts.spans),
    )


class Pass:
    """A forward pass: who makes which tensor, how large it is, and who needs it.

    Args:
        calls: All calls of a network; every length is known.
        results: The positions of the network's outputs.
    """

    def __init__(self, calls: Sequence[Call], results: Sequence[int]) -> None:
        self.calls = calls
        self.results = results
        self.dtype = float_dtype(calls)
        self.sizes: dict[int, int] = {}
        self.facts: list[Retained] = []
        self.inner: dict[int, list[Memory]] = {}
        widths: dict[int, int] = {}
        for place, call in enumerate(calls):
            shapes = call.known_shapes or ()
            for source, shape in zip(call.inputs, shapes, strict=True):
                if source == OPEN:
                    widths[OPEN] = 8 if call.layer.dtype_taken == "int" else self.dtype.itemsize
                    self.sizes[OPEN] = elements(shape) * widths[OPEN]
            widths[place] = self.dtype.itemsize
            if call.kind == "int":
                widths[place] = widths[call.inputs[0]] if call.inputs else integer_width(call)
            self.sizes[place] = elements(call.shape) * widths[place]
            if inner := inner_memories(call, shapes):
                self.inner[place] = inner
            self.facts.append(self.fact(place, shapes))

    def fact(self, place: int, shapes: tuple[Shape, ...]) -> Retained:
        """Return what a call keeps."""
        call = self.calls[place]
        if not call.inputs:
            return SOURCE
        if place in self.inner:
            others = sum(memory.training for memory in self.inner[place])
            return SOURCE._replace(output=True, others=others)
        front: Kind = "int" if call.layer.dtype_taken == "int" else "float"
        kinds: list[Kind | None] = [
            front if source == OPEN else self.calls[source].kind for source in call.inputs
        ]
        return retained(call.layer, shapes, tuple(kinds), self.dtype)

    def makers(self, *, test: bool) -> dict[int, int]:
        """Return whose tensor each call's output is: its own, or for a view its input's."""
        makers = {OPEN: OPEN}
        for place, (call, fact) in enumerate(zip(self.calls, self.facts, strict=True)):
            view = fact.test_view if test else fact.view
            makers[place] = makers[call.inputs[0]] if view else place
        return makers

    def outputs(self) -> tuple[int, ...]:
        """Return what each call's output takes."""
        return tuple(
            0 if fact.view else self.sizes[place] for place, fact in enumerate(self.facts)
        )

    def kept(self) -> tuple[int, ...]:
        """Return what each call adds to what the backward pass needs."""
        makers = self.makers(test=False)
        kept = [fact.others for fact in self.facts]
        seen: set[int] = set()
        for place, (call, fact) in enumerate(zip(self.calls, self.facts, strict=True)):
            needed = [place] * fact.output + [*call.inputs] * fact.inputs
            for maker in {makers[source] for source in needed} - seen:
                seen.add(maker)
                # What stands before an open network is put down to the first who needs it.
                kept[place if maker == OPEN else maker] += self.sizes[maker]
        return tuple(kept)

    def peak(self) -> int:
        """Return the most that is alive at once, each tensor until its last use."""
        makers = self.makers(test=True)
        last_use = dict.fromkeys(makers.values(), -1)
        for place, call in enumerate(self.calls):
            last_use.update((makers[source], place) for source in (place, *call.inputs))
        # The caller holds the inputs throughout, and takes the outputs.
        sources = [place for place, call in enumerate(self.calls) if not call.inputs]
        for place in (OPEN, *sources, *self.results):
            last_use[makers[place]] = len(self.calls)
        alive = {OPEN} & self.sizes.keys()
        most = 0
        for place in range(len(self.calls)):
            alive.add(makers[place])
            now = sum(self.sizes[maker] for maker in alive)
            most = max(most, now + self.inside(place))
            alive -= {maker for maker in alive if last_use[maker] <= place}
        return most

    def inside(self, place: int) -> int:
        """Return what a layer made of networks needs beside its input and output."""
        if place not in self.inner:
            return 0
        around = sum(self.sizes[source] for source in (place, *self.calls[place].inputs))
        return max(0, *(memory.inference - around for memory in self.inner[place]))


def inner_memories(call: Call, shapes: tuple[Shape, ...]) -> list[Memory]:
    """Return what the networks take that a call's layer is made of."""
    memories = [
        activation_memory(inner_calls(network, shapes), network.graph.outputs)
        for network in inner_networks(call.layer).values()
    ]
    return [memory for memory in memories if memory is not None]


# An `Input` hands on what it is given.
SOURCE = Retained(inputs=False, output=False, others=0, view=False, test_view=False)


def elements(shape: Shape | None) -> int:
    """Return the number of elements of a shape without free lengths."""
    return cast("int", count(shape or ()))


def float_dtype(calls: Sequence[Call]) -> torch.dtype:
    """Return the type of a network's floats."""
    for call in calls:
        for parameter in call.layer.parameters():
            if parameter.is_floating_point():
                return parameter.dtype
    declared = (getattr(call.layer, "float_dtype", None) for call in calls if not call.inputs)
    return next(filter(None, declared), torch.get_default_dtype())


def integer_width(call: Call) -> int:
    """Return the bytes of an integer that an `Input` declares."""
    dtype = getattr(torch, str(call.layer.arguments.get("dtype")), torch.int64)
    return dtype.itemsize
