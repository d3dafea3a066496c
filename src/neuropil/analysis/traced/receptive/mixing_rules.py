"""Receptive-field rules of operations that mix all positions of an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.analysis.traced.receptive import regions as places
from neuropil.analysis.traced.receptive.axis_views import Seen, Unknown, merge
from neuropil.analysis.traced.receptive.elementwise_rules import elementwise
from neuropil.analysis.traced.receptive.operands import (
    Operands,
    accumulate,
    merge_all,
    merge_along,
    merge_values,
    unknown,
)
from neuropil.analysis.traced.receptive.rearrangement_rules import (
    drop_axis,
    permute_axes,
    take_slice,
)
from neuropil.analysis.traced.run_record import Value

if TYPE_CHECKING:
    from neuropil.analysis.traced.receptive.operands import Result, Rule
    from neuropil.analysis.traced.receptive.regions import Sizes


def reduction(place: int, default: int | None = None) -> Rule:
    """Return the rule of reductions such as sums and maxima, with or without `keepdim`.

    Args:
        place: Position of the axes among the arguments.
        default: The axis if the argument is missing; ``None`` for all axes.
    """

    def rule(operands: Operands) -> Result:
        axes = operands.argument(place, "dim", default)
        if isinstance(axes, Value):
            # The elementwise maximum or minimum of two tensors.
            return elementwise(operands)
        return reduce_over(operands, axes)

    return rule


def reduce_over(operands: Operands, axes: Any) -> Result:
    """Return the receptive fields after a reduction over some axes, or over all."""
    seen, shape = operands.of(operands.x), operands.x.shape
    if isinstance(axes, bool) or not isinstance(axes, int | tuple) or axes == ():
        axes = range(len(shape))
    axes = sorted(
        {axis % max(len(shape), 1) for axis in ([axes] if isinstance(axes, int) else axes)}
    )
    if not shape:
        return seen
    seen = merge_along(seen, axes, shape)
    if len(operands.target) == len(shape):
        return seen
    for axis in reversed(axes):
        seen = drop_axis(seen, axis)
    return seen


def norm(operands: Operands) -> Result:
    """Rule of norms, whose axes are given after the order."""
    return reduce_over(operands, operands.argument(2, "dim"))


def mix(place: int, default: int = -1) -> Rule:
    """Return the rule of operations that mix an axis and keep it, such as softmax or sorting.

    Args:
        place: Position of the axis among the arguments.
        default: The axis if the argument is missing.
    """

    def rule(operands: Operands) -> Result:
        seen, shape = operands.of(operands.x), operands.x.shape
        axis = operands.argument(place, "dim", default)
        return merge_along(seen, [axis % len(shape)], shape) if shape else seen

    return rule


def glu(operands: Operands) -> Result:
    """Rule of gated linear units: one half of an axis times the other."""
    seen, shape = operands.of(operands.x), operands.x.shape
    axis = operands.argument(1, "dim", -1) % len(shape)
    half = shape[axis] // 2
    halves = [
        take_slice(operands, seen, axis, range(i, i + half), operands.target) for i in (0, half)
    ]
    return merge([(each, operands.target) for each in halves], operands.target)


def product(left: int) -> Rule:
    """Return the rule of matrix products; the first `left` arguments are added to it."""

    def rule(operands: Operands) -> Result:
        one, other = operands.step.args[left : left + 2]
        rank = len(operands.target)
        if len(one.shape) != rank or len(other.shape) != rank or rank < 2:
            return product_with_vector(operands, one, other)
        added = [(operands.of(value), value.shape) for value in operands.step.args[:left]]
        factors = [reduce_axis(operands, one, rank - 1), reduce_axis(operands, other, rank - 2)]
        return merge(added + factors, operands.target)

    return rule


def product_with_vector(operands: Operands, one: Value, other: Value) -> Result:
    """Return the receptive fields of a product with a vector, which is seen as a whole."""
    whole = merge_all(operands, [other], operands.target)
    axis = len(one.shape) - 1
    rows = drop_axis(merge_along(operands.of(one), [axis], one.shape), axis)
    return merge(
        [(whole, (1,) * len(operands.target)), (rows, one.shape[:-1])], operands.target
    )


def reduce_axis(operands: Operands, value: Value, axis: int) -> tuple[Seen | None, Sizes]:
    """Return the receptive fields after an axis is mixed, and the shape with length 1 there."""
    seen = merge_along(operands.of(value), [axis], value.shape)
    return seen, places.keepdim(value.shape, axis)


def vector_products(place: int, default: int) -> Rule:
    """Return the rule of scalar products along an axis of two tensors.

    Args:
        place: Position of the axis among the arguments.
        default: The axis if the argument is missing.
    """

    def rule(operands: Operands) -> Result:
        both = operands.step.args[:2]
        shape = np.broadcast_shapes(*(value.shape for value in both))
        seen = merge_values(operands, both, shape)
        axis = operands.argument(place, "dim", default) % max(len(shape), 1)
        if seen is None or not shape:
            return seen
        return drop_axis(merge_along(seen, [axis], shape), axis)

    return rule


def bilinear(operands: Operands) -> Result:
    """Rule of bilinear layers: results depend on the whole last axes of both tensors."""
    parts = [reduce_axis(operands, v, len(v.shape) - 1) for v in operands.step.args[:2]]
    return merge(parts, operands.target)


def pairwise_distances(operands: Operands) -> Result:
    """Rule of distances between each row of one matrix and each row of another."""
    one, other = operands.step.args[:2]
    rank = len(other.shape)
    seen, shape = reduce_axis(operands, other, rank - 1)
    columns = permute_axes(seen, (*range(rank - 2), rank - 1, rank - 2))
    rows = reduce_axis(operands, one, len(one.shape) - 1)
    return merge([rows, (columns, (*shape[:-2], 1, shape[-2]))], operands.target)


def attention(operands: Operands) -> Result:
    """Rule of attention: queries see themselves and all keys and values, or earlier ones."""
    query, key, value = operands.step.args[:3]
    last = len(query.shape) - 1
    causal = bool(operands.argument(5, "is_causal", default=False))
    parts = [
        reduce_axis(operands, query, last),
        see_keys(*reduce_axis(operands, key, last), causal=causal),
        see_keys(operands.of(value), value.shape, causal=causal),
    ]
    return merge(parts, operands.target)


def see_keys(seen: Seen | None, shape: Sizes, *, causal: bool) -> tuple[Seen | None, Sizes]:
    """Return the fields of all keys, or with `causal`, of the keys up to each query."""
    axis = len(shape) - 2
    if not causal:
        return merge_along(seen, [axis], shape), places.keepdim(shape, axis)
    return accumulate(seen, axis, shape), shape


def recurrent(operands: Operands) -> Result:
    """Rule of recurrent layers: each step depends on those before it, or, both ways, on all."""
    seen, shape = operands.of(operands.x), operands.x.shape
    if seen is None or isinstance(seen, Unknown) or len(shape) != 3:
        return seen and unknown(operands)
    args = operands.step.args
    time = 1 if args[8] else 0
    seen = merge_along(seen, [2], shape)
    everything = merge_along(seen, [time], shape)
    count = len(operands.step.results)
    if args[7]:
        return [everything for _ in range(count)]
    states = permute_axes(everything, (1, 0, 2)) if time else everything
    return [accumulate(seen, time, places.keepdim(shape, 2)), *[states] * (count - 1)]
