"""An operation with what the tensors that it takes see."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from neuropil.analysis.traced.receptive import regions as places
from neuropil.analysis.traced.receptive.axis_views import Seen, Unknown, View, merge
from neuropil.analysis.traced.receptive.regions import Regions
from neuropil.analysis.traced.receptive.view_shapes import in_shape, reduce_axes
from neuropil.analysis.traced.run_record import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from neuropil.analysis.traced.receptive.regions import Sizes
    from neuropil.analysis.traced.run_record import Step


class Taken(NamedTuple):
    """An operation with what the tensors that it takes see.

    Args:
        step: The operation.
        seen: What is seen by every value that sees anything.
        asked: How often it was asked what each value sees.
    """

    step: Step
    seen: Mapping[int, Seen]
    asked: Counter[int]

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """Return an argument, given by position or by name."""
        args, kwargs = self.step.args, self.step.kwargs
        return args[place] if place < len(args) else kwargs.get(name, default)

    def of(self, value: Any) -> Seen | None:
        """Return what a value sees; ``None`` where that is nothing."""
        if not isinstance(value, Value):
            return None
        self.asked[value.number] += 1
        return self.seen.get(value.number)

    def unasked(self) -> list[Value]:
        """Return the tensors of which nobody asked what they see."""
        values = values_in((self.step.args, self.step.kwargs))
        times = Counter(value.number for value in values)
        return [value for value in values if self.asked[value.number] < times[value.number]]

    @property
    def x(self) -> Value:
        """The first tensor."""
        return self.step.args[0]

    @property
    def target(self) -> Sizes:
        """The shape of the result."""
        return self.step.results[0].shape


Result: TypeAlias = "Seen | list[Seen | None] | None"
Rule: TypeAlias = "Callable[[Taken], Result]"


def together(taken: Taken, values: Sequence[Value], target: Sizes) -> Seen | None:
    """Return what is seen by several tensors in the same place."""
    return merge([(taken.of(value), value.shape) for value in values], target)


def values_in(arguments: Any) -> list[Value]:
    """Return all values among arguments."""
    if isinstance(arguments, Value):
        return [arguments]
    if isinstance(arguments, dict):
        arguments = tuple(arguments.values())
    if isinstance(arguments, tuple):
        return [value for item in arguments for value in values_in(item)]
    return []


def everything(taken: Taken, values: Sequence[Value], target: Sizes) -> Seen | None:
    """Return what is seen by a tensor whose every number depends on all of several tensors."""
    ones = (1,) * len(target)
    parts: list[tuple[Seen | None, Sizes]] = []
    for value in values:
        rank = len(value.shape)
        seen = over(taken.of(value), range(rank), value.shape)
        parts.append((in_shape(seen, (1,) * rank, ones), ones))
    return merge(parts, target)


def over(seen: Seen | None, axes: Sequence[int], shape: Sizes) -> Seen | None:
    """Return what is seen by places that each see all along some axes, of length 1 then."""
    if isinstance(seen, View):
        return reduce_axes(seen, axes, shape)
    return places.over(seen, axes) if isinstance(seen, Regions) else seen


def unknown(taken: Taken) -> Unknown:
    """Nobody has said what this sees."""
    return Unknown(str(taken.step.operation).removesuffix(".default"))
