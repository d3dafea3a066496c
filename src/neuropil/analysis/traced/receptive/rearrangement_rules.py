"""What results see of operations that put numbers elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.analysis.receptive_field.axis_field import Field
from neuropil.analysis.traced.receptive.axis_views import (
    Seen,
    View,
    as_regions,
    make_view,
    with_fields,
)
from neuropil.analysis.traced.receptive.axis_windows import along, shift
from neuropil.analysis.traced.receptive.operands import unknown
from neuropil.analysis.traced.receptive.regions import Regions
from neuropil.analysis.traced.receptive.view_shapes import in_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.analysis.traced.receptive.operands import Result, Taken
    from neuropil.analysis.traced.receptive.regions import Sizes


def part(taken: Taken, seen: Seen, axis: int, indices: range, target: Sizes) -> Seen:
    """Return what is seen by every so many places along an axis."""
    indices = indices[: target[axis]]
    if isinstance(seen, View) and seen.labels.shape[axis] > 1:
        return make_view(seen.axes, seen.kinds, seen.labels.take(indices, axis), seen.lengths)
    return along(taken, seen, {axis: shift(indices.start, indices.step)}, target)


def permute_axes(seen: Seen | None, order: Sequence[int]) -> Seen | None:
    """Return what is seen when the axes stand in another order."""
    if isinstance(seen, View):
        axes = [None if axis is None else [*order].index(axis) for axis in seen.axes]
        return View(tuple(axes), seen.kinds, seen.labels.transpose(order), seen.lengths)
    if isinstance(seen, Regions):
        return seen.rearranged(lambda array: array.transpose(order))
    return seen


def permute(taken: Taken) -> Result:
    """Axes in another order."""
    seen = taken.of(taken.x)
    rank = len(taken.x.shape)
    order = [axis % rank for axis in taken.argument(1, "dims", ())]
    return permute_axes(seen, order)


def transpose(taken: Taken) -> Result:
    """Two axes exchanged."""
    seen = taken.of(taken.x)
    order = [*range(len(taken.x.shape))]
    if seen is None or len(order) < 2:
        return seen
    a, b = taken.argument(1, "dim0", 0), taken.argument(2, "dim1", 1)
    order[a], order[b] = order[b], order[a]
    return permute_axes(seen, order)


def slice_(taken: Taken) -> Result:
    """A part of an axis."""
    seen, x = taken.of(taken.x), taken.x
    axis = taken.argument(1, "dim", 0) % len(x.shape)
    start = taken.argument(2, "start") or 0
    start = min(max(start + x.shape[axis] * (start < 0), 0), x.shape[axis])
    step = taken.argument(4, "step", 1)
    return seen and part(taken, seen, axis, range(start, x.shape[axis], step), taken.target)


def select(taken: Taken) -> Result:
    """One place of an axis."""
    seen, x = taken.of(taken.x), taken.x
    axis = taken.argument(1, "dim", 0) % len(x.shape)
    index = taken.argument(2, "index", 0) % x.shape[axis]
    return seen and at_index(taken, seen, axis, index)


def at_index(taken: Taken, seen: Seen, axis: int, index: int) -> Seen | None:
    """Return what one place of an axis sees, without the axis."""
    shape = taken.x.shape
    single = (*shape[:axis], 1, *shape[axis + 1 :])
    seen = part(taken, seen, axis, range(index, index + 1), single)
    if isinstance(seen, View) and axis in seen.axes:
        seen = fix_axis(seen, axis)
    return drop_axis(seen, axis)


def fix_axis(view: View, axis: int) -> View:
    """Return a view of a single place of an axis."""
    here = [own == axis for own in view.axes]
    return with_fields(
        view,
        lambda place, field: Field(0, (field.at(0),), field.placed) if here[place] else field,
        [None if at else own for at, own in zip(here, view.axes, strict=True)],
    )


def drop_axis(seen: Seen | None, axis: int) -> Seen | None:
    """Return the same without an axis of length 1."""
    if isinstance(seen, View):
        axes = [own if own is None or own < axis else own - 1 for own in seen.axes]
        return View(tuple(axes), seen.kinds, seen.labels.squeeze(axis), seen.lengths)
    if isinstance(seen, Regions):
        return seen.rearranged(lambda array: array.squeeze(axis))
    return seen


def split(taken: Taken) -> Result:
    """An axis cut into pieces."""
    seen, x = taken.of(taken.x), taken.x
    axis = taken.argument(2, "dim", 0) % len(x.shape)
    results: list[Seen | None] = []
    start = 0
    for result in taken.step.results:
        stop = start + result.shape[axis]
        results.append(seen and part(taken, seen, axis, range(start, stop), result.shape))
        start = stop
    return results


def unbind(taken: Taken) -> Result:
    """An axis cut into its places."""
    seen = taken.of(taken.x)
    axis = taken.argument(1, "dim", 0) % len(taken.x.shape)
    return [
        seen and at_index(taken, seen, axis, index) for index in range(len(taken.step.results))
    ]


def flip(taken: Taken) -> Result:
    """Axes the other way round."""
    axes = [axis % len(taken.x.shape) for axis in taken.argument(1, "dims", ())]
    return move_places(taken, axes, lambda array: np.flip(array, tuple(axes)))


def roll(taken: Taken) -> Result:
    """Axes whose places go round."""
    axes = [axis % len(taken.x.shape) for axis in taken.argument(2, "dims", ())]
    shifts = taken.argument(1, "shifts")
    if not axes:
        return unknown(taken)
    return move_places(taken, axes, lambda array: np.roll(array, shifts, tuple(axes)))


def repeat(taken: Taken) -> Result:
    """Everything so many times; where all places see the same they need not be repeated."""
    times = taken.argument(1, "repeats")
    seen, shape = taken.of(taken.x), taken.x.shape
    padded = (1,) * (len(times) - len(shape)) + shape
    seen = in_shape(seen, shape, padded)
    axes = [axis for axis, n in enumerate(times) if n > 1]

    def change(array: Any) -> Any:
        lengths = zip(times, array.shape, strict=True)
        return np.tile(array, [n if length > 1 else 1 for n, length in lengths])

    return rearrange_places(seen, axes, padded, change)


def move_places(taken: Taken, axes: Sequence[int], change: Callable[[Any], Any]) -> Result:
    """Return what is seen when places along some axes are put elsewhere."""
    return rearrange_places(taken.of(taken.x), axes, taken.x.shape, change)


def rearrange_places(
    seen: Seen | None, axes: Sequence[int], shape: Sizes, change: Callable[[Any], Any]
) -> Result:
    """Return what is seen when an array of places is changed along some axes."""
    if isinstance(seen, View):
        if not set(axes) & {*seen.axes}:
            return make_view(seen.axes, seen.kinds, change(seen.labels), seen.lengths)
        seen = as_regions(seen, shape)
    return seen.rearranged(change) if isinstance(seen, Regions) else seen
