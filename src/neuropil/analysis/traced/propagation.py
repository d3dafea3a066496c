"""What every tensor of a run sees of one of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.analysis.field import PIXEL, Field, union
from neuropil.analysis.sight import Sight
from neuropil.analysis.traced.lookup import rule_of
from neuropil.analysis.traced.operations import name_of
from neuropil.analysis.traced.regions import Regions, TooManyError
from neuropil.analysis.traced.taken import Taken, values_in
from neuropil.analysis.traced.views import Seen, Unknown, View, as_regions

if TYPE_CHECKING:
    from neuropil.analysis.traced.running import Trace
    from neuropil.analysis.traced.values import Step, Value


def seen_by_values(trace: Trace, source: Value, first: int = 2) -> dict[int, Seen]:
    """Return what each value of a run sees of an input, by its number.

    Args:
        trace: The run.
        source: The input.
        first: The input's first axis that has positions.
    """
    rank = len(source.shape)
    start = View(
        axes=tuple(range(first, rank)),
        kinds=((PIXEL,) * (rank - first),),
        labels=np.zeros((1,) * rank, np.int64),
        lengths=source.shape[first:],
    )
    seen: dict[int, Seen] = {source.number: start}
    shares: dict[int, list[int]] = {source.storage: [source.number]}
    for step in trace.steps:
        if any(value.number in seen for value in values_in((step.args, step.kwargs))):
            results = results_of(step, seen, trace)
            for value, result in zip(step.results, results, strict=False):
                if result is not None:
                    seen[value.number] = result
        note_writing(step, seen, shares, trace)
    return seen


def results_of(step: Step, seen: dict[int, Seen], trace: Trace) -> list[Seen | None]:
    """Return what the results of an operation see."""
    where = trace.calls[step.call].name or type(trace.module).__name__
    try:
        result = rule_of(step.operation)(Taken(step, seen))
    except TooManyError:
        result = Unknown(f"{step.operation} tells too many places apart")
    if isinstance(result, Unknown) and " in " not in result.reason:
        before = [s for v in values_in((step.args, step.kwargs)) if (s := seen.get(v.number))]
        known = [each for each in before if isinstance(each, Unknown)]
        result = known[0] if known else Unknown(f"{result.reason} in {where!r}")
    if isinstance(result, list):
        return result
    # Further results are statistics, places of maxima and the like.
    return [result]


def note_writing(
    step: Step, seen: dict[int, Seen], shares: dict[int, list[int]], trace: Trace
) -> None:
    """Note that other looks at a tensor are no longer known once a part of it is written."""
    if name_of(step.operation).in_place and step.results:
        result = step.results[0]
        before = seen.get(getattr(step.args[0], "number", -1)) if step.args else None
        if result.storage >= 0 and seen.get(result.number) is not before:
            where = trace.calls[step.call].name or type(trace.module).__name__
            reason = f"{step.operation}, which writes into a part of a tensor, in {where!r}"
            for number in shares.get(result.storage, ()):
                seen[number] = Unknown(reason)
    for value in step.results:
        shares.setdefault(value.storage, []).append(value.number)


def sight_of(seen: Seen, shape: tuple[int, ...], lengths: tuple[int, ...]) -> Sight | Unknown:
    """Return what a tensor sees, all its channels together.

    Args:
        seen: What it sees.
        shape: Its shape.
        lengths: The lengths of the input's axes.
    """
    if isinstance(seen, Unknown):
        return seen
    if isinstance(seen, View) and any(
        length > 1 and axis != 1 for axis, length in enumerate(seen.labels.shape)
    ):
        # Not channels but places differ.
        seen = as_regions(seen, shape)
    if isinstance(seen, Regions):
        return Sight(seen.fields(lengths), aligned=True)
    some = [kind for kind in seen.kinds if kind is not None]
    if not some:
        return Sight((Field(0, (None,)),) * len(seen.axes), aligned=True)
    fields = [
        union([kind[place] for kind in some], None if axis is None else shape[axis], length)
        for place, (axis, length) in enumerate(zip(seen.axes, seen.lengths, strict=True))
    ]
    return Sight(tuple(fields), aligned=True)
