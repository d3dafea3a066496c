"""An operation together with the receptive fields of its operands."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from neuropil.analysis.traced.receptive import regions as places
from neuropil.analysis.traced.receptive.axis_views import Seen, Unknown, View, in_regions, merge
from neuropil.analysis.traced.receptive.regions import Regions
from neuropil.analysis.traced.receptive.view_shapes import reduce_axes, with_shape
from neuropil.analysis.traced.run_record import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from neuropil.analysis.traced.receptive.regions import Sizes
    from neuropil.analysis.traced.run_record import Step


class Operands(NamedTuple):
    """An operation together with the receptive fields of its operands.

    Args:
        step: The operation.
        seen: Receptive fields by value number, for values that depend on the input.
        asked: How often a rule has looked up each value.
    """

    step: Step
    seen: Mapping[int, Seen]
    asked: Counter[int]

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """Return an argument by position or by name."""
        args, kwargs = self.step.args, self.step.kwargs
        return args[place] if place < len(args) else kwargs.get(name, default)

    def of(self, value: Any) -> Seen | None:
        """Return the receptive fields of a value; ``None`` if it sees nothing."""
        if not isinstance(value, Value):
            return None
        self.asked[value.number] += 1
        return self.seen.get(value.number)

    @property
    def values(self) -> list[Value]:
        """All operands."""
        return values_in((self.step.args, self.step.kwargs))

    def ignored_values(self) -> list[Value]:
        """Return the operands that the rule has not looked up."""
        times = Counter(value.number for value in self.values)
        return [v for v in self.values if self.asked[v.number] < times[v.number]]

    @property
    def x(self) -> Value:
        """The first operand."""
        return self.step.args[0]

    @property
    def target(self) -> Sizes:
        """Shape of the first result."""
        return self.step.results[0].shape


Result: TypeAlias = "Seen | list[Seen | None] | None"
Rule: TypeAlias = "Callable[[Operands], Result]"


def merge_values(operands: Operands, values: Sequence[Value], target: Sizes) -> Seen | None:
    """Return the union of the receptive fields of several tensors, elementwise."""
    return merge([(operands.of(value), value.shape) for value in values], target)


def values_in(arguments: Any) -> list[Value]:
    """Return all values in nested arguments."""
    if isinstance(arguments, Value):
        return [arguments]
    if isinstance(arguments, dict):
        arguments = tuple(arguments.values())
    if isinstance(arguments, tuple):
        return [value for item in arguments for value in values_in(item)]
    return []


def merge_all(operands: Operands, values: Sequence[Value], target: Sizes) -> Seen | None:
    """Return the fields of a tensor each element of which depends on all of several tensors."""
    ones = (1,) * len(target)
    parts: list[tuple[Seen | None, Sizes]] = []
    for value in values:
        rank = len(value.shape)
        seen = merge_along(operands.of(value), range(rank), value.shape)
        parts.append((with_shape(seen, (1,) * rank, ones), ones))
    return merge(parts, target)


def merge_along(seen: Seen | None, axes: Sequence[int], shape: Sizes) -> Seen | None:
    """Return the fields where each position sees all of some axes; these get length 1."""
    if isinstance(seen, View):
        return reduce_axes(seen, axes, shape)
    return places.merge_along(seen, axes) if isinstance(seen, Regions) else seen


def accumulate(seen: Seen | None, axis: int, shape: Sizes) -> Seen | None:
    """Return the fields where each position sees those up to it along an axis."""
    seen = in_regions(seen, shape)
    return places.accumulate(seen, axis) if isinstance(seen, Regions) else seen


def unknown(operands: Operands) -> Unknown:
    """Rule of operations for which there is none: the receptive field is not known."""
    return Unknown(str(operands.step.operation).removesuffix(".default"))
