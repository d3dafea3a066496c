"""What results see of operations that give places or go by them: maxima, orders, indices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.analysis.traced.receptive import regions as places
from neuropil.analysis.traced.receptive.axis_views import Seen, View, as_regions, merge
from neuropil.analysis.traced.receptive.operands import (
    Taken,
    everything,
    over,
    together,
    unknown,
    values_in,
)
from neuropil.analysis.traced.receptive.rearrangement_rules import part
from neuropil.analysis.traced.receptive.view_shapes import in_shape
from neuropil.analysis.traced.run_record import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.traced.receptive.operands import Result, Rule
    from neuropil.analysis.traced.receptive.regions import Sizes


def sort(place: int, default: int = -1) -> Rule:
    """Return the rule of what sees all along an axis, which stays: sorting and its kin.

    Args:
        place: Where the axis stands among the arguments.
        default: The axis where none is given.
    """

    def rule(taken: Taken) -> Result:
        seen, shape = taken.of(taken.x), taken.x.shape
        axis = taken.argument(place, "dim", default)
        return over(seen, [axis % len(shape)], shape) if shape else seen

    return rule


def cumulative(taken: Taken) -> Result:
    """Every place sees those up to its own along an axis: running sums and maxima."""
    seen, shape = taken.of(taken.x), taken.x.shape
    if seen is None or not shape:
        return seen
    axis: int = taken.argument(1, "dim", -1) % len(shape)
    if isinstance(seen, View):
        if axis not in seen.axes and seen.labels.shape[axis] == 1:
            return seen
        seen = as_regions(seen, shape)
    return places.so_far(seen, axis) if isinstance(seen, places.Regions) else seen


def gather(taken: Taken) -> Result:
    """The numbers of an axis at computed places: all along it is seen, and the place."""
    index = taken.argument(2, "index")
    parts: list[tuple[Seen | None, Sizes]] = [(taken.of(index), index.shape)]
    seen, shape = taken.of(taken.x), taken.x.shape
    if seen is not None and shape:
        axis = taken.argument(1, "dim") % len(shape)
        for other, length in enumerate(taken.target):
            if other != axis and length < shape[other]:
                single = (*shape[:other], length, *shape[other + 1 :])
                seen = part(taken, seen, other, range(length), single)
                shape = single
        parts.append((over(seen, [axis], shape), places.keepdim(shape, axis)))
    return merge(parts, taken.target)


def index_select(taken: Taken) -> Result:
    """Whole slices of an axis at computed places."""
    index = taken.argument(2, "index")
    axis = taken.argument(1, "dim", 0)
    return pick(taken, [index], axis % max(len(taken.x.shape), 1), single=True)


def index_with(taken: Taken) -> Result:
    """Square brackets with tensors of places, or with masks."""
    indices = taken.argument(1, "indices", ())
    axes = [axis for axis, index in enumerate(indices) if isinstance(index, Value)]
    values = [index for index in indices if isinstance(index, Value)]
    if not axes:
        return everything(taken, [taken.x], taken.target)
    together_ = axes[-1] - axes[0] + 1 == len(axes)
    # Indices apart from one another put their own axes first.
    first = axes[0] if together_ else 0
    single = len(axes) == 1 and len(values[0].shape) == 1
    return pick(taken, values, first, single=single)


def pick(taken: Taken, values: Sequence[Value], axis: int, *, single: bool) -> Result:
    """Return what is seen of a tensor at places that are computed.

    Args:
        taken: The operation.
        values: The places.
        axis: The first axis that is not kept.
        single: Whether it is the only one, so that those after it are kept.
    """
    target = taken.target
    seen, shape = taken.of(taken.x), taken.x.shape
    if single:
        seen, after = over(seen, [axis], shape), places.keepdim(shape, axis)
    else:
        before = (*shape[:axis], *(1 for _ in shape[axis:]))
        after = (*shape[:axis], *(1 for _ in target[axis:]))
        seen = in_shape(over(seen, range(axis, len(shape)), shape), before, after)
    whole = everything(taken, values, target)
    return merge([(seen, after), (whole, (1,) * len(target))], target)


def take(taken: Taken) -> Result:
    """Numbers of the whole tensor, each at a computed place."""
    index = taken.argument(1, "index")
    whole = everything(taken, [taken.x], taken.target)
    parts = [(taken.of(index), index.shape), (whole, (1,) * len(taken.target))]
    return merge(parts, taken.target)


def unpool(rank: int) -> Rule:
    """Return the rule of putting maxima back to computed places along the last axes."""

    def rule(taken: Taken) -> Result:
        parts: list[tuple[Seen | None, Sizes]] = []
        for value in taken.step.args[:2]:
            shape = value.shape
            seen = over(taken.of(value), range(len(shape) - rank, len(shape)), shape)
            parts.append((seen, (*shape[:-rank], *(1 for _ in range(rank)))))
        return merge(parts, taken.target)

    return rule


def search_sorted(taken: Taken) -> Result:
    """Where each number would stand in a sorted row; the row is seen by all."""
    value = taken.argument(1, "self")
    return together(taken, values_in(value), taken.target)


def depends_on_everything(taken: Taken) -> Result:
    """How many, which, and where: everything is seen by every number of the results."""
    step = taken.step
    values = values_in((step.args, step.kwargs))
    return [everything(taken, values, result.shape) for result in step.results]


def one_hot(taken: Taken) -> Result:
    """A row in place of each class."""
    shape = taken.x.shape
    return merge([(in_shape(taken.of(taken.x), shape, (*shape, 1)), (*shape, 1))], taken.target)


def multinomial(taken: Taken) -> Result:
    """Classes drawn by the chances along the last axis."""
    seen, shape = taken.of(taken.x), taken.x.shape
    return over(seen, [len(shape) - 1], shape) if shape else seen and unknown(taken)
