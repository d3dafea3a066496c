"""Receptive-field rules of operations that rearrange elements."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.analysis.receptive_field.axis_field import Field
from neuropil.analysis.traced.receptive.axis_views import (
    Seen,
    View,
    detach_axes,
    in_regions,
    make_view,
)
from neuropil.analysis.traced.receptive.axis_windows import apply_windows, shift
from neuropil.analysis.traced.receptive.operands import unknown
from neuropil.analysis.traced.receptive.regions import Regions, keepdim
from neuropil.analysis.traced.receptive.view_shapes import with_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.analysis.traced.receptive.operands import Operands, Result
    from neuropil.analysis.traced.receptive.regions import Sizes


def take_slice(
    operands: Operands, seen: Seen | None, axis: int, indices: range, target: Sizes
) -> Seen | None:
    """Return the receptive fields of a slice of an axis."""
    indices = indices[: target[axis]]
    if isinstance(seen, View) and seen.labels.shape[axis] > 1:
        return make_view(seen.axes, seen.kinds, seen.labels.take(indices, axis), seen.lengths)
    return apply_windows(operands, seen, {axis: shift(indices.start, indices.step)}, target)


def permute_axes(seen: Seen | None, order: Sequence[int]) -> Seen | None:
    """Return receptive fields with the axes permuted."""
    if isinstance(seen, View):
        axes = [None if axis is None else [*order].index(axis) for axis in seen.axes]
        return View(tuple(axes), seen.kinds, seen.labels.transpose(order), seen.lengths)
    if isinstance(seen, Regions):
        return seen.rearrange(lambda array: array.transpose(order))
    return seen


def permute(operands: Operands) -> Result:
    """Rule of permuting all axes."""
    seen = operands.of(operands.x)
    rank = len(operands.x.shape)
    order = [axis % rank for axis in operands.argument(1, "dims", ())]
    return permute_axes(seen, order)


def transpose(operands: Operands) -> Result:
    """Rule of exchanging two axes."""
    seen = operands.of(operands.x)
    order = [*range(len(operands.x.shape))]
    if seen is None or len(order) < 2:
        return seen
    a, b = operands.argument(1, "dim0", 0), operands.argument(2, "dim1", 1)
    order[a], order[b] = order[b], order[a]
    return permute_axes(seen, order)


def slice_(operands: Operands) -> Result:
    """Rule of slicing an axis."""
    seen, x = operands.of(operands.x), operands.x
    axis = operands.argument(1, "dim", 0) % len(x.shape)
    start = operands.argument(2, "start") or 0
    start = min(max(start + x.shape[axis] * (start < 0), 0), x.shape[axis])
    step = operands.argument(4, "step", 1)
    return take_slice(operands, seen, axis, range(start, x.shape[axis], step), operands.target)


def select(operands: Operands) -> Result:
    """Rule of selecting one position of an axis."""
    seen, x = operands.of(operands.x), operands.x
    axis = operands.argument(1, "dim", 0) % len(x.shape)
    index = operands.argument(2, "index", 0) % x.shape[axis]
    return at_index(operands, seen, axis, index)


def at_index(operands: Operands, seen: Seen | None, axis: int, index: int) -> Seen | None:
    """Return the receptive fields at one position of an axis, without the axis."""
    single = keepdim(operands.x.shape, axis)
    seen = take_slice(operands, seen, axis, range(index, index + 1), single)
    if isinstance(seen, View) and axis in seen.axes:
        here = [own == axis for own in seen.axes]
        seen = detach_axes(seen, here, lambda _, field: Field(0, (field.at(0),), field.placed))
    return drop_axis(seen, axis)


def drop_axis(seen: Seen | None, axis: int) -> Seen | None:
    """Return receptive fields without an axis of length 1."""
    if isinstance(seen, View):
        axes = [own if own is None or own < axis else own - 1 for own in seen.axes]
        return View(tuple(axes), seen.kinds, seen.labels.squeeze(axis), seen.lengths)
    if isinstance(seen, Regions):
        return seen.rearrange(lambda array: array.squeeze(axis))
    return seen


def split(operands: Operands) -> Result:
    """Rule of splitting an axis into pieces."""
    seen, x = operands.of(operands.x), operands.x
    axis = operands.argument(2, "dim", 0) % len(x.shape)
    shapes = [result.shape for result in operands.step.results]
    stops = itertools.accumulate(shape[axis] for shape in shapes)
    return [
        take_slice(operands, seen, axis, range(stop - shape[axis], stop), shape)
        for stop, shape in zip(stops, shapes, strict=True)
    ]


def unbind(operands: Operands) -> Result:
    """Rule of splitting an axis into its positions."""
    seen = operands.of(operands.x)
    axis = operands.argument(1, "dim", 0) % len(operands.x.shape)
    indices = range(len(operands.step.results))
    return [at_index(operands, seen, axis, index) for index in indices]


def flip(operands: Operands) -> Result:
    """Rule of reversing axes."""
    axes = [axis % len(operands.x.shape) for axis in operands.argument(1, "dims", ())]
    return move_places(operands, axes, lambda array: np.flip(array, tuple(axes)))


def roll(operands: Operands) -> Result:
    """Rule of rolling axes cyclically."""
    axes = [axis % len(operands.x.shape) for axis in operands.argument(2, "dims", ())]
    shifts = operands.argument(1, "shifts")
    if not axes:
        return unknown(operands)
    return move_places(operands, axes, lambda array: np.roll(array, shifts, tuple(axes)))


def repeat(operands: Operands) -> Result:
    """Rule of tiling. Axes along which all positions see the same keep length 1."""
    times = operands.argument(1, "repeats")
    seen, shape = operands.of(operands.x), operands.x.shape
    padded = (1,) * (len(times) - len(shape)) + shape
    seen = with_shape(seen, shape, padded)
    axes = [axis for axis, n in enumerate(times) if n > 1]

    def change(array: Any) -> Any:
        lengths = zip(times, array.shape, strict=True)
        return np.tile(array, [n if length > 1 else 1 for n, length in lengths])

    return rearrange_places(seen, axes, padded, change)


def move_places(
    operands: Operands, axes: Sequence[int], change: Callable[[Any], Any]
) -> Result:
    """Return the receptive fields after the positions along some axes are moved."""
    return rearrange_places(operands.of(operands.x), axes, operands.x.shape, change)


def rearrange_places(
    seen: Seen | None, axes: Sequence[int], shape: Sizes, change: Callable[[Any], Any]
) -> Result:
    """Return receptive fields after an array of positions is changed along some axes."""
    if isinstance(seen, View) and not set(axes) & {*seen.axes}:
        return make_view(seen.axes, seen.kinds, change(seen.labels), seen.lengths)
    seen = in_regions(seen, shape)
    return seen.rearrange(change) if isinstance(seen, Regions) else seen
