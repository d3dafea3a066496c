"""Propagation of the receptive fields on one input through a traced run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from neuropil.analysis.receptive_field.axis_field import PIXEL
from neuropil.analysis.traced.operations.operation_names import (
    name_of,
    written_arguments,
    written_parameters,
)
from neuropil.analysis.traced.receptive.axis_views import Seen, Unknown, View, merge
from neuropil.analysis.traced.receptive.operands import Operands, merge_all, values_in
from neuropil.analysis.traced.receptive.regions import TooManyError
from neuropil.analysis.traced.receptive.rule_table import SHAPE_ONLY, rule_of

if TYPE_CHECKING:
    from neuropil.analysis.traced.receptive.operands import Result
    from neuropil.analysis.traced.run_record import Step, Value
    from neuropil.analysis.traced.runs.module_run import Trace

# Operations that hand data to Python, where it cannot be traced.
DATA_READS = frozenset({"_local_scalar_dense", "item", "equal", "is_nonzero", "allclose"})


def fields_of_values(trace: Trace, source: Value, first: int = 2) -> dict[int, Seen]:
    """Return the receptive fields of each value of a run on one input, by value number.

    Args:
        trace: The run.
        source: The input.
        first: First axis of the input that has positions.
    """
    propagation = Propagation(trace, source, first)
    for step in trace.steps:
        propagation.follow(step)
    for value in (*trace.results, *(v for call in trace.calls for v in call.results)):
        propagation.find(value)
    return propagation.seen


class Propagation:
    """Propagates receptive fields on one input through a run, step by step.

    Args:
        trace: The run.
        source: The input.
        first: First axis of the input that has positions.

    Attributes:
        seen: Receptive fields by value number, for values that depend on the input.
        shares: Values that share a storage, by the storage's number.
        invalid: Reason why the content of a storage is not known: a part of it was written.
        read: Receptive field of data that Python has read; all values made later may depend
            on them.
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
        self.invalid: dict[int, Unknown] = {}
        self.read: Seen | None = None
        self.known = {value.number for value in trace.sources.values()}

    def follow(self, step: Step) -> None:
        """Record the receptive fields of the results of an operation."""
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
        """Record the receptive fields of a tensor that no traced operation made.

        It is a constant, unless it shares its storage with a traced value or was made after
        Python has read data.
        """
        if value.number in self.seen or value.number in self.known:
            return
        self.known.add(value.number)
        sharing = self.shares.setdefault(value.storage, [])
        others = [v for v in sharing if v.number in self.seen]
        sharing.append(value)
        if value.storage in self.invalid:
            self.seen[value.number] = self.invalid[value.storage]
            return
        if others:
            last = others[-1]
            hidden = Unknown("an operation that PyTorch does not dispatch")
            self.seen[value.number] = (
                self.seen[last.number] if last.shape == value.shape else hidden
            )
        elif self.read is not None and value.storage >= 0:
            self.seen[value.number] = merge([(self.read, ())], value.shape) or self.read

    # Operations

    def results_of(self, step: Step, values: list[Value]) -> list[Seen | None]:
        """Return the receptive fields of an operation's results."""
        operands = Operands(step, self.seen, Counter())
        try:
            found = fill_results(operands, rule_of(step.operation)(operands))
            found = add_ignored(operands, found, values)
        except TooManyError:
            reason = f"{step.operation}, whose results have too many different fields,"
            found = [Unknown(reason)] * len(step.results)
        except Exception:  # noqa: BLE001, RUF100 - arguments in a form that the rule cannot read
            found = [Unknown(str(step.operation))] * len(step.results)
        return [self.with_origin(step, values, seen) for seen in found]

    def with_origin(self, step: Step, values: list[Value], seen: Seen | None) -> Seen | None:
        """Return the fields; unknown ones name the first operation to blame."""
        if not isinstance(seen, Unknown) or " in " in seen.reason:
            return seen
        before = [s for v in values if (s := self.seen.get(v.number))]
        known = [each for each in before if isinstance(each, Unknown)]
        return known[0] if known else Unknown(f"{seen.reason} in {self.where(step)!r}")

    def where(self, step: Step) -> str:
        """Return the name of the part that runs an operation."""
        return self.trace.calls[step.call].name or type(self.trace.module).__name__

    # Data read by Python

    def note_reading(self, step: Step, values: list[Value]) -> None:
        """Record the receptive field of data that Python reads."""
        if name_of(step.operation).name not in DATA_READS:
            return
        operands = Operands(step, self.seen, Counter())
        self.read = merge([(self.read, ()), (merge_all(operands, values, ()), ())], ())

    def after_reading(self, seen: Seen | None, value: Value) -> Seen | None:
        """Return the receptive fields of a value that was made after Python has read data."""
        return merge([(self.read, ()), (seen, value.shape)], value.shape)

    # Writing in place

    def note_writing(self, step: Step, values: list[Value]) -> None:
        """Mark other views of a tensor as unknown once a part of it is written in place."""
        if not written_parameters(step.operation):
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
            self.invalidate(step, value, result)

    def invalidate(self, step: Step, value: Value, result: Value | None) -> None:
        """Mark a tensor that was written, and the other values that share its storage."""
        words = "which writes into a part of a tensor"
        reason = Unknown(f"{step.operation}, {words}, in {self.where(step)!r}")
        self.invalid[value.storage] = reason
        # A tensor overwritten as a whole has a new value under the same number.
        if result is None:
            self.seen[value.number] = reason
        for other in self.shares.get(value.storage, ()):
            if other.number != value.number:
                self.seen[other.number] = reason


def fill_results(operands: Operands, result: Result) -> list[Seen | None]:
    """Return the fields of each result, where a rule returned those of the first only.

    Indices of maxima have the shape and field of the maxima. Results of another shape are
    unknown.
    """
    results = operands.step.results
    if isinstance(result, list):
        return result + [None] * (len(results) - len(result))
    same = [value.shape == results[0].shape for value in results]
    other = (
        result
        if result is None or isinstance(result, Unknown)
        else Unknown(f"a further result of {operands.step.operation}")
    )
    return [result if alike else other for alike in same]


def add_ignored(
    operands: Operands, found: list[Seen | None], values: list[Value]
) -> list[Seen | None]:
    """Return the fields of results, united with those of operands that the rule ignored.

    These are, for example, weights that are computed: each element may depend on all of them.
    """
    if len(values) < 2 or name_of(operands.step.operation).name in SHAPE_ONLY:
        return found
    rest = [value for value in operands.ignored_values() if value.number in operands.seen]
    if not rest:
        return found
    joined: list[Seen | None] = []
    for seen, value in zip(found, operands.step.results, strict=True):
        whole = merge_all(operands, rest, value.shape)
        ones = (1,) * len(value.shape)
        joined.append(merge([(seen, value.shape), (whole, ones)], value.shape))
    return joined
