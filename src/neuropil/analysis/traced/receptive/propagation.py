"""What every tensor of a run sees of one of its inputs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from neuropil.analysis.receptive_field.axis_field import PIXEL
from neuropil.analysis.traced.operations.operation_names import (
    name_of,
    written_arguments,
    written_by,
)
from neuropil.analysis.traced.receptive.axis_views import Seen, Unknown, View, merge
from neuropil.analysis.traced.receptive.operands import Taken, everything, values_in
from neuropil.analysis.traced.receptive.regions import TooManyError
from neuropil.analysis.traced.receptive.rule_table import SHAPE_ONLY, rule_of

if TYPE_CHECKING:
    from neuropil.analysis.traced.receptive.operands import Result
    from neuropil.analysis.traced.run_record import Step, Value
    from neuropil.analysis.traced.runs.module_run import Trace

# What hands numbers to Python, where nobody can follow them.
READING = frozenset({"_local_scalar_dense", "item", "equal", "is_nonzero", "allclose"})


def seen_by_values(trace: Trace, source: Value, first: int = 2) -> dict[int, Seen]:
    """Return what each value of a run sees of an input, by its number.

    Args:
        trace: The run.
        source: The input.
        first: The input's first axis that has positions.
    """
    followed = Propagation(trace, source, first)
    for step in trace.steps:
        followed.follow(step)
    for value in (*trace.results, *(v for call in trace.calls for v in call.results)):
        followed.find(value)
    return followed.seen


class Propagation:
    """What is seen of an input, followed through a run step by step.

    Args:
        trace: The run.
        source: The input.
        first: The input's first axis that has positions.

    Attributes:
        seen: What is seen by every value that sees anything.
        shares: The values that share a storage, by its number.
        spoiled: Why nobody knows what a storage holds, where a part of it was written.
        read: What is seen by the numbers that Python was handed; whatever is made after that
            may depend on them.
    """

    def __init__(self, trace: Trace, source: Value, first: int) -> None:
        self.trace = trace
        rank = len(source.shape)
        start = View(
            axes=tuple(range(first, rank)),
            kinds=((PIXEL,) * (rank - first),),
            labels=np.zeros((1,) * rank, np.int64),
            lengths=source.shape[first:],
        )
        self.seen: dict[int, Seen] = {source.number: start}
        self.shares: dict[int, list[Value]] = {source.storage: [source]}
        self.spoiled: dict[int, Unknown] = {}
        self.read: Seen | None = None
        self.known = {value.number for value in trace.sources.values()}

    def follow(self, step: Step) -> None:
        """Note what the results of an operation see."""
        values = values_in((step.args, step.kwargs))
        for value in values:
            self.find(value)
        results: list[Seen | None] = [None] * len(step.results)
        if any(value.number in self.seen for value in values):
            results = self.results_of(step, values) if step.results else []
            self.note_reading(step, values)
        if self.read is not None:
            pairs = zip(results, step.results, strict=True)
            results = [self.after_reading(seen, value) for seen, value in pairs]
        for value, result in zip(step.results, results, strict=True):
            if result is not None:
                self.seen[value.number] = result
        self.note_writing(step, values)
        self.known |= {value.number for value in step.results}
        for value in step.results:
            self.shares.setdefault(value.storage, []).append(value)

    def find(self, value: Value) -> None:
        """Note what is seen by a tensor that came from no operation that was seen.

        It is a constant, unless it shares its memory with what was seen, or was made after
        numbers were read.
        """
        if value.number in self.seen or value.number in self.known:
            return
        self.known.add(value.number)
        sharing = self.shares.setdefault(value.storage, [])
        others = [v for v in sharing if v.number in self.seen]
        sharing.append(value)
        if value.storage in self.spoiled:
            self.seen[value.number] = self.spoiled[value.storage]
            return
        if others:
            last = others[-1]
            hidden = Unknown("an operation that PyTorch does not show")
            self.seen[value.number] = (
                self.seen[last.number] if last.shape == value.shape else hidden
            )
        elif self.read is not None and value.storage >= 0:
            self.seen[value.number] = merge([(self.read, ())], value.shape) or self.read

    # Operations

    def results_of(self, step: Step, values: list[Value]) -> list[Seen | None]:
        """Return what the results of an operation see."""
        taken = Taken(step, self.seen, Counter())
        try:
            found = fill_results(taken, rule_of(step.operation)(taken))
            found = add_unasked(taken, found, values)
        except TooManyError:
            reason = f"{step.operation}, whose results see in too many ways,"
            found = [Unknown(reason)] * len(step.results)
        except Exception:  # noqa: BLE001, RUF100 - of some form that its rule does not know
            found = [Unknown(str(step.operation))] * len(step.results)
        return [self.named(step, values, seen) for seen in found]

    def named(self, step: Step, values: list[Value], seen: Seen | None) -> Seen | None:
        """Return what is seen; where that is not known, with the first operation to blame."""
        if not isinstance(seen, Unknown) or " in " in seen.reason:
            return seen
        before = [s for v in values if (s := self.seen.get(v.number))]
        known = [each for each in before if isinstance(each, Unknown)]
        return known[0] if known else Unknown(f"{seen.reason} in {self.where(step)!r}")

    def where(self, step: Step) -> str:
        """Return the name of the part that runs an operation."""
        return self.trace.calls[step.call].name or type(self.trace.module).__name__

    # Numbers in Python's hands

    def note_reading(self, step: Step, values: list[Value]) -> None:
        """Note what is seen by numbers that Python was handed."""
        if name_of(step.operation).name not in READING:
            return
        taken = Taken(step, self.seen, Counter())
        self.read = merge([(self.read, ()), (everything(taken, values, ()), ())], ())

    def after_reading(self, seen: Seen | None, value: Value) -> Seen | None:
        """Return what is seen by what was made after numbers were read."""
        return merge([(self.read, ()), (seen, value.shape)], value.shape)

    # Memory that is written

    def note_writing(self, step: Step, values: list[Value]) -> None:
        """Note that other looks at a tensor are unknown once a part of it is written."""
        if not written_by(step.operation):
            return
        written = written_arguments(step.operation, step.args, step.kwargs)
        numbers = {value.number for value in values_in(written)}
        changed = [value for value in values if value.number in numbers]
        given = {value.storage: value for value in step.results}
        for value in changed:
            result = given.get(value.storage)
            before = self.seen.get(value.number)
            after = self.seen.get(result.number) if result else None
            others = any(v.number in self.seen for v in values if v.number != value.number)
            if (result and after is before) or (result is None and not others):
                continue
            self.spoil(step, value, result)

    def spoil(self, step: Step, value: Value, result: Value | None) -> None:
        """Note that a tensor was written, and that other looks at it are unknown now."""
        words = "which writes into a part of a tensor"
        reason = Unknown(f"{step.operation}, {words}, in {self.where(step)!r}")
        self.spoiled[value.storage] = reason
        # What was written as a whole is another value now, under the same name.
        if result is None:
            self.seen[value.number] = reason
        for other in self.shares.get(value.storage, ()):
            if other.number != value.number:
                self.seen[other.number] = reason


def fill_results(taken: Taken, result: Result) -> list[Seen | None]:
    """Return what each result sees, where a rule told of the first alone.

    Places of maxima see what the maxima see; results of another shape are another matter.
    """
    results = taken.step.results
    if isinstance(result, list):
        return result + [None] * (len(results) - len(result))
    same = [value.shape == results[0].shape for value in results]
    other = (
        result
        if result is None or isinstance(result, Unknown)
        else Unknown(f"a further result of {taken.step.operation}")
    )
    return [result if alike else other for alike in same]


def add_unasked(
    taken: Taken, found: list[Seen | None], values: list[Value]
) -> list[Seen | None]:
    """Return what results see, with all that is seen by tensors that no rule asked about.

    Such as weights that are computed: every number may depend on all of them.
    """
    if len(values) < 2 or name_of(taken.step.operation).name in SHAPE_ONLY:
        return found
    rest = [value for value in taken.unasked() if value.number in taken.seen]
    if not rest:
        return found
    joined: list[Seen | None] = []
    for seen, value in zip(found, taken.step.results, strict=True):
        whole = everything(taken, rest, value.shape)
        ones = (1,) * len(value.shape)
        joined.append(merge([(seen, value.shape), (whole, ones)], value.shape))
    return joined
