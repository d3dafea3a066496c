"""What results see of operations that work on each number where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.analysis.traced.receptive.operands import Taken, everything, together, values_in
from neuropil.analysis.traced.receptive.view_shapes import in_shape

if TYPE_CHECKING:
    from neuropil.analysis.traced.receptive.operands import Result


def elementwise(taken: Taken) -> Result:
    """Every result sees what stands in its place."""
    return together(taken, values_in((taken.step.args, taken.step.kwargs)), taken.target)


def first_only(taken: Taken) -> Result:
    """The first result sees what the first argument sees; statistics add no pattern."""
    return together(taken, [taken.x], taken.target)


def second_only(taken: Taken) -> Result:
    """What is overwritten is seen no more."""
    return together(taken, values_in(taken.step.args[1]), taken.target)


def loss(taken: Taken) -> Result:
    """A loss: place by place, or of all places together."""
    if taken.target:
        return elementwise(taken)
    return everything(taken, values_in((taken.step.args, taken.step.kwargs)), taken.target)


def fill(taken: Taken) -> Result:
    """Every result sees the one number that all are set to."""
    return together(taken, values_in(taken.argument(1, "value")), taken.target)


def sees_nothing(_taken: Taken) -> Result:
    """What is made anew sees nothing."""
    return None


def same_order(taken: Taken) -> Result:
    """The same numbers in the same order in another shape."""
    return in_shape(taken.of(taken.x), taken.x.shape, taken.target)


def expand(taken: Taken) -> Result:
    """Axes of length 1 stretched."""
    return together(taken, [taken.x], taken.target)


def embedding(taken: Taken) -> Result:
    """Every index sees its own place."""
    value = taken.step.args[1]
    return in_shape(taken.of(value), value.shape, (*value.shape, 1))
