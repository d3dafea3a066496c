"""Figures of each call of a module's parts, collected from its traced runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neuropil.analysis.cost.parameters import NONE, Counts, count
from neuropil.analysis.traced.runs.training_memory import training_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from neuropil.analysis.traced.run_record import Call
    from neuropil.analysis.traced.runs.module_run import Trace


class Part(NamedTuple):
    """One call of a part of a module.

    Args:
        name: Name of the part; for the whole module, the name of its class.
        call: The call.
        own: Parameters of the part itself and of children that were never called, counted once.
        parameters: `own` and the parameters of the calls within.
        multiply_adds: Multiply–adds of the part and of the calls within.
        own_kept: Bytes the part itself keeps for the backward pass; ``None`` where unknown.
        kept: Bytes that the part and the calls within keep; ``None`` where unknown.
    """

    name: str
    call: Call
    own: Counts
    parameters: Counts
    multiply_adds: int
    own_kept: int | None
    kept: int | None


class Report(NamedTuple):
    """Figures of a module and of the calls of its parts.

    Args:
        trace: A run in evaluation mode.
        parts: Calls in the order in which they began; the first is the module's.
        training: Bytes kept for the backward pass; ``None`` where unknown.
        only_in_training: Bytes kept by calls that are made in training only, by name.
        notes: Remarks for the reader.
    """

    trace: Trace
    parts: list[Part]
    training: int | None
    only_in_training: dict[str, int]
    notes: tuple[str, ...]


def report(run: Trace) -> Report:
    """Return the figures of a module's parts; its copy is also run in training mode.

    Args:
        run: The module's run in evaluation mode.
    """
    module = run.module
    kept = training_memory(run)
    notes = run.notes
    if kept is None:
        notes += ("Training memory is not known: the module fails in training mode.",)
    if any(hasattr(part, "_packed_params") for part in module.modules()):
        notes += ("Quantised weights are packed and are not counted as parameters.",)
    by_name = {} if kept is None else {call.name: call.kept_bytes for call in kept.calls}
    parts = parts_of(run, by_name if kept else None)
    known = {call.name for call in run.calls}
    rest = {name: size for name, size in by_name.items() if size and name not in known}
    return Report(run, parts, kept and kept.bytes, rest, notes)


def parts_of(run: Trace, kept: dict[str, int] | None) -> list[Part]:
    """Return all calls, each with the sums over the calls within it."""
    owns = list(own_parameters(run))
    counts, costs = owns[:], [call.multiply_adds for call in run.calls]
    own_kept = [None if kept is None else kept.get(call.name, 0) for call in run.calls]
    sizes = [size or 0 for size in own_kept]
    # Parents come before their children, so a reverse pass adds up every subtree.
    for call in reversed(run.calls[1:]):
        place, parent = call.place, call.parent
        counts[parent] = Counts(*map(sum, zip(counts[parent], counts[place], strict=True)))
        costs[parent] += costs[place]
        sizes[parent] += sizes[place]
    whole = type(run.module).__name__.lower()
    return [
        Part(
            call.name or whole,
            call,
            owns[place],
            counts[place],
            costs[place],
            own_kept[place],
            None if kept is None else sizes[place],
        )
        for place, call in enumerate(run.calls)
    ]


def own_parameters(run: Trace) -> Iterator[Counts]:
    """Yield for each call the parameters that no inner call owns and none before counted."""
    called = {id(call.module) for call in run.calls}
    seen: set[int] = set()
    # The same module may be called several times, but its parameters count once.
    for call in run.calls:
        yield NONE if call.again else unseen_parameters(call.module, called, seen)


def unseen_parameters(module: nn.Module, called: set[int], seen: set[int]) -> Counts:
    """Return the parameters of a module and of its uncalled children that are not yet seen."""
    parameters: list[nn.Parameter | None] = []
    waiting = [module]
    while waiting:
        part = waiting.pop()
        parameters += vars(part)["_parameters"].values()
        children = vars(part)["_modules"].values()
        waiting += [
            child for child in children if child is not None and id(child) not in called
        ]
    return count(parameters, seen)
