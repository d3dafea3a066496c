"""What is known of each call of a module's parts, gathered from its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neuropil.analysis.cost.parameters import NONE, Counts, count
from neuropil.analysis.traced.runs.training_memory import kept_by_training

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from neuropil.analysis.traced.run_record import Call
    from neuropil.analysis.traced.runs.module_run import Trace


class Part(NamedTuple):
    """One call of a part of a module.

    Args:
        name: Its name; that of the whole is the name of its class.
        call: The call.
        own: Parameters that are its own or a part's that was never called, not counted before.
        parameters: These and those of the calls within.
        multiply_adds: Its own and those of the calls within.
        own_kept: What it adds to what training keeps; ``None`` where that is not known.
        kept: The same with the calls within.
    """

    name: str
    call: Call
    own: Counts
    parameters: Counts
    multiply_adds: int
    own_kept: int | None
    kept: int | None


class Report(NamedTuple):
    """What is known of a module and of the calls of its parts.

    Args:
        trace: A run in test mode.
        parts: The calls in the order in which they began; the first is the whole.
        training: What training keeps; ``None`` where that is not known.
        only_in_training: What calls keep that were made in training alone, by name.
        notes: What the reader should know.
    """

    trace: Trace
    parts: list[Part]
    training: int | None
    only_in_training: dict[str, int]
    notes: tuple[str, ...]


def report(run: Trace) -> Report:
    """Run a module's twin in training mode, too, and return what is known of its parts.

    Args:
        run: Its run in test mode.
    """
    module = run.module
    kept = kept_by_training(run)
    notes = run.notes
    if kept is None:
        notes += ("What training keeps is not known: the module fails in training mode.",)
    if any(hasattr(part, "_packed_params") for part in module.modules()):
        notes += ("Quantised weights are packed, and not counted as parameters.",)
    by_name = {} if kept is None else {call.name: call.kept_bytes for call in kept.calls}
    parts = parts_of(run, by_name if kept else None)
    known = {call.name for call in run.calls}
    rest = {name: size for name, size in by_name.items() if size and name not in known}
    return Report(run, parts, kept and kept.bytes, rest, notes)


def parts_of(run: Trace, kept: dict[str, int] | None) -> list[Part]:
    """Return all calls, each with what the calls within it add up to."""
    owns = list(own_parameters(run))
    counts, costs = owns[:], [call.multiply_adds for call in run.calls]
    own_kept = [None if kept is None else kept.get(call.name, 0) for call in run.calls]
    sizes = [size or 0 for size in own_kept]
    # A call's parent came before it.
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
    """Yield the parameters of each call that belong to no call within and were not counted."""
    called = {id(call.module) for call in run.calls}
    seen: set[int] = set()
    # The same twin may be the whole and a part, but its parameters count once.
    for call in run.calls:
        yield NONE if call.again else new_ones(call.module, called, seen)


def new_ones(module: nn.Module, called: set[int], seen: set[int]) -> Counts:
    """Return what parameters a module adds to those seen, but for parts that were called."""
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
