"""Memory of activations: the peak of a forward pass, and the part kept for training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, cast

import torch

from neuropil.analysis.block_parts import parts_of
from neuropil.analysis.calls import is_known
from neuropil.analysis.cost.layer_memory import LayerMemory, Operand, layer_memory
from neuropil.core.graph import OPEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.block_parts import Parts
    from neuropil.analysis.calls import Call
    from neuropil.core import Shape


class Memory(NamedTuple):
    """Memory of the activations of one sample, in bytes.

    Args:
        inference: Peak of the tensors alive at once in a forward pass without gradients.
        training: Memory that a forward pass keeps for the backward pass.
        outputs: Memory of each call's output; 0 where it is a view of its input.
        kept: Share of each call in `training`.
    """

    inference: int
    training: int
    outputs: tuple[int, ...]
    kept: tuple[int, ...]


def activation_memory(calls: Sequence[Call], results: Sequence[int]) -> Memory | None:
    """Return the memory of the activations; ``None`` where a length is not known.

    Args:
        calls: All calls of a network.
        results: Positions of the network's outputs.
    """
    if not all(map(is_known, calls)):
        return None
    parts = parts_of(calls, results)
    pass_ = Pass(parts, [parts.ends[place] for place in results])
    kept, outputs = pass_.training_bytes(), pass_.outputs()
    return Memory(
        pass_.peak(),
        sum(kept),
        tuple(outputs[end] for end in parts.ends),
        tuple(sum(kept[span.start : span.stop]) for span in parts.spans),
    )


class Pass:
    """A forward pass: which call makes each tensor, its size, and which calls need it.

    Args:
        parts: All calls of a network, with blocks expanded. Every length is known.
        results: Positions of the network's outputs.
    """

    def __init__(self, parts: Parts, results: Sequence[int]) -> None:
        self.parts, self.calls, self.results = parts, parts.calls, results
        floats = float_dtype(self.calls)
        self.sizes: dict[int, int] = {}
        self.facts: list[LayerMemory] = []
        # Each output, described as an operand of the calls that take it.
        self.operands: dict[int, Operand] = {}
        for place, call in enumerate(self.calls):
            shapes = call.known_shapes or ()
            if OPEN in call.inputs:
                shape = shapes[call.inputs.index(OPEN)]
                dtype = torch.int64 if call.layer.dtype_taken == "int" else floats
                self.add(OPEN, Operand(full_shape(shape), dtype, needs_gradient=False), 0)
            dtype = floats
            if call.kind == "int":
                dtype = (
                    self.operands[call.inputs[0]].dtype if call.inputs else integers_of(call)
                )
            fact = self.memory_of(call, dtype)
            self.facts.append(fact)
            output = Operand(full_shape(call.shape), dtype, fact.needs_gradient)
            self.add(place, output, fact.surplus)

    def add(self, place: int, operand: Operand, surplus: int) -> None:
        """Record the output of a call, or the input of an open network."""
        self.operands[place] = operand
        self.sizes[place] = math.prod(operand.shape) * operand.dtype.itemsize + surplus

    def memory_of(self, call: Call, dtype: torch.dtype) -> LayerMemory:
        """Return the memory needs of a call."""
        if call.inputs:
            return layer_memory(call.layer, tuple(self.operands[i] for i in call.inputs))
        if normalizes(call):
            given = Operand(full_shape(call.shape), dtype, needs_gradient=False)
            return layer_memory(call.layer, (given,))
        return SOURCE

    def makers(self, *, test: bool) -> dict[int, int]:
        """Return the call that made the tensor of each output: for a view, that of its input.

        In evaluation mode, a call that writes over its input counts as a view.
        """
        makers = {OPEN: OPEN}
        for place, (call, fact) in enumerate(zip(self.calls, self.facts, strict=True)):
            view = (
                fact.is_test_view or place in self.parts.overwriting if test else fact.is_view
            )
            makers[place] = makers[call.inputs[0]] if view else place
        return makers

    def outputs(self) -> tuple[int, ...]:
        """Return the memory of each call's output."""
        return tuple(
            0 if fact.is_view else self.sizes[place] for place, fact in enumerate(self.facts)
        )

    def training_bytes(self) -> tuple[int, ...]:
        """Return each call's share of the memory kept for the backward pass."""
        makers = self.makers(test=False)
        kept = [fact.others for fact in self.facts]
        seen: set[int] = set()
        for place, (call, fact) in enumerate(zip(self.calls, self.facts, strict=True)):
            needed = [place] * fact.saves_output + [*call.inputs] * fact.saves_inputs
            for maker in {makers[source] for source in needed} - seen:
                seen.add(maker)
                # The input of an open network is attributed to the first call that needs it.
                kept[place if maker == OPEN else maker] += self.sizes[maker]
        return tuple(kept)

    def peak(self) -> int:
        """Return the peak of the tensors alive at once; each lives until its last use."""
        # Liveness: a tensor is alive from the call that makes it to the last that takes it.
        makers = self.makers(test=True)
        last_use = dict.fromkeys(makers.values(), -1)
        for place, call in enumerate(self.calls):
            last_use.update((makers[source], place) for source in (place, *call.inputs))
        # The caller of a block holds the block's inputs until it returns, even after their last
        # use inside the block.
        for inputs, end in self.parts.blocks:
            for maker in (makers[source] for source in inputs):
                last_use[maker] = max(last_use[maker], end)
        # The network's inputs are held throughout, and its outputs are returned.
        sources = [place for place, call in enumerate(self.calls) if not call.inputs]
        raw = {place for place in sources if normalizes(self.calls[place])}
        alive = {OPEN, *sources} & self.sizes.keys() - raw
        for place in (*alive, *self.results):
            last_use[makers[place]] = len(self.calls)
        held = sum(self.sizes[place] for place in raw)
        most = 0
        for place, fact in enumerate(self.facts):
            alive.add(makers[place])
            now = sum(self.sizes[maker] for maker in alive)
            most = max(most, now + fact.temporaries)
            alive -= {maker for maker in alive if last_use[maker] <= place}
        return held + most


# An `Input` returns its argument unchanged.
SOURCE = LayerMemory(saves_inputs=False, saves_output=False, needs_gradient=False)


def normalizes(call: Call) -> bool:
    """Tell whether an `Input` normalises, and so makes a new tensor."""
    return vars(call.layer)["_buffers"].get("mean") is not None and not call.inputs


def full_shape(shape: Shape | None) -> tuple[int, ...]:
    """Return a shape without free lengths, typed as such."""
    return cast("tuple[int, ...]", shape or ())


def float_dtype(calls: Sequence[Call]) -> torch.dtype:
    """Return the floating-point type of a network."""
    for call in calls:
        for parameter in call.layer.parameters():
            if parameter.is_floating_point():
                return parameter.dtype
    declared = (getattr(call.layer, "float_dtype", None) for call in calls if not call.inputs)
    return next(filter(None, declared), torch.get_default_dtype())


def integers_of(call: Call) -> torch.dtype:
    """Return the integer type that an `Input` declares."""
    return getattr(torch, str(call.layer.arguments.get("dtype")), torch.int64)
