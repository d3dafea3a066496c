"""What results see of operations that take all places of an axis together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.analysis.traced.receptive import regions as places
from neuropil.analysis.traced.receptive.axis_views import Seen, Unknown, View, as_regions, merge
from neuropil.analysis.traced.receptive.elementwise_rules import elementwise
from neuropil.analysis.traced.receptive.operands import (
    Taken,
    everything,
    over,
    together,
    unknown,
)
from neuropil.analysis.traced.receptive.rearrangement_rules import drop_axis, part, permute_axes
from neuropil.analysis.traced.receptive.regions import Regions
from neuropil.analysis.traced.run_record import Value

if TYPE_CHECKING:
    from neuropil.analysis.traced.receptive.operands import Result, Rule
    from neuropil.analysis.traced.receptive.regions import Sizes


def reduction(place: int, default: int | None = None) -> Rule:
    """Return the rule of a sum, a mean, a maximum: its axes go, or stay with length 1.

    Args:
        place: Where the axes stand among the arguments.
        default: The axis where none is given; ``None`` for all.
    """

    def rule(taken: Taken) -> Result:
        axes = taken.argument(place, "dim", default)
        if isinstance(axes, Value):
            # The maxima of two tensors, place by place.
            return elementwise(taken)
        return reduce_over(taken, axes)

    return rule


def reduce_over(taken: Taken, axes: Any) -> Result:
    """Return what is seen when some axes, or all, become one place."""
    seen, shape = taken.of(taken.x), taken.x.shape
    if seen is None:
        return None
    if isinstance(axes, bool) or not isinstance(axes, int | tuple) or axes == ():
        axes = range(len(shape))
    axes = sorted(
        {axis % max(len(shape), 1) for axis in ([axes] if isinstance(axes, int) else axes)}
    )
    if not shape:
        return seen
    seen = over(seen, axes, shape)
    if len(taken.target) == len(shape):
        return seen
    for axis in reversed(axes):
        seen = drop_axis(seen, axis)
    return seen


def norm(taken: Taken) -> Result:
    """A norm: its axes stand after its order."""
    return reduce_over(taken, taken.argument(2, "dim"))


def softmax(taken: Taken) -> Result:
    """A softmax and its kin: every place sees all along an axis."""
    axis = taken.argument(1, "dim", -1) % max(len(taken.x.shape), 1)
    return over(taken.of(taken.x), [axis], taken.x.shape)


def glu(taken: Taken) -> Result:
    """A gate: one half of an axis times the other."""
    seen, shape = taken.of(taken.x), taken.x.shape
    axis = taken.argument(1, "dim", -1) % len(shape)
    half = shape[axis] // 2
    if seen is None:
        return None
    halves = [part(taken, seen, axis, range(i, i + half), taken.target) for i in (0, half)]
    return merge([(each, taken.target) for each in halves], taken.target)


def linear(taken: Taken) -> Result:
    """All of the last axis together."""
    return over(taken.of(taken.x), [len(taken.x.shape) - 1], taken.x.shape)


def product(left: int) -> Rule:
    """Return the rule of a product of matrices; what is added to it comes before."""

    def rule(taken: Taken) -> Result:
        one, other = taken.step.args[left : left + 2]
        rank = len(taken.target)
        if len(one.shape) != rank or len(other.shape) != rank or rank < 2:
            return product_with_vector(taken, one, other)
        parts = [(taken.of(value), value.shape) for value in taken.step.args[:left]]
        for value, axis in ((one, rank - 1), (other, rank - 2)):
            parts.append(reduce_axis(taken, value, axis))
        return merge(parts, taken.target)

    return rule


def product_with_vector(taken: Taken, one: Value, other: Value) -> Result:
    """A product with a vector: all of it is seen."""
    whole = everything(taken, [other], taken.target)
    axis = len(one.shape) - 1
    rows = drop_axis(over(taken.of(one), [axis], one.shape), axis)
    return merge([(whole, (1,) * len(taken.target)), (rows, one.shape[:-1])], taken.target)


def reduce_axis(taken: Taken, value: Value, axis: int) -> tuple[Seen | None, Sizes]:
    """Return what is seen of all along an axis of a tensor, and its shape after that."""
    seen = over(taken.of(value), [axis], value.shape)
    return seen, places.keepdim(value.shape, axis)


def vector_products(place: int, default: int) -> Rule:
    """Return the rule of products of vectors place by place, along an axis of both.

    Args:
        place: Where the axis stands among the arguments.
        default: The axis where none is given.
    """

    def rule(taken: Taken) -> Result:
        both = taken.step.args[:2]
        shape = np.broadcast_shapes(*(value.shape for value in both))
        seen = together(taken, both, shape)
        axis = taken.argument(place, "dim", default) % max(len(shape), 1)
        if seen is None or not shape:
            return seen
        return drop_axis(over(seen, [axis], shape), axis)

    return rule


def bilinear(taken: Taken) -> Result:
    """All of the last axis of two tensors together."""
    parts = [reduce_axis(taken, v, len(v.shape) - 1) for v in taken.step.args[:2]]
    return merge(parts, taken.target)


def pairwise_distances(taken: Taken) -> Result:
    """Every row of one matrix with every row of another."""
    one, other = taken.step.args[:2]
    rank = len(other.shape)
    seen, shape = reduce_axis(taken, other, rank - 1)
    columns = permute_axes(seen, (*range(rank - 2), rank - 1, rank - 2))
    rows = reduce_axis(taken, one, len(one.shape) - 1)
    return merge([rows, (columns, (*shape[:-2], 1, shape[-2]))], taken.target)


def attention(taken: Taken) -> Result:
    """Every query sees itself and all keys and values, or those up to its own place."""
    query, key, value = taken.step.args[:3]
    last = len(query.shape) - 1
    causal = bool(taken.argument(5, "is_causal", default=False))
    parts = [
        reduce_axis(taken, query, last),
        see_keys(*reduce_axis(taken, key, last), causal=causal),
        see_keys(taken.of(value), value.shape, causal=causal),
    ]
    return merge(parts, taken.target)


def see_keys(seen: Seen | None, shape: Sizes, *, causal: bool) -> tuple[Seen | None, Sizes]:
    """Return what is seen of all keys, or of those up to each query's place."""
    axis = len(shape) - 2
    if not causal:
        return over(seen, [axis], shape), places.keepdim(shape, axis)
    if isinstance(seen, View):
        seen = as_regions(seen, shape)
    if isinstance(seen, Regions):
        seen = places.so_far(seen, axis)
    return seen, shape


def recurrent(taken: Taken) -> Result:
    """Every step sees those up to it, or all steps where both directions are read."""
    seen, shape = taken.of(taken.x), taken.x.shape
    if seen is None or isinstance(seen, Unknown) or len(shape) != 3:
        return seen and unknown(taken)
    args = taken.step.args
    time = 1 if args[8] else 0
    seen = over(seen, [2], shape)
    everything = over(seen, [time], shape)
    count = len(taken.step.results)
    if args[7]:
        return [everything for _ in range(count)]
    steps = as_regions(seen, places.keepdim(shape, 2)) if isinstance(seen, View) else seen
    if not isinstance(steps, Regions):
        return steps
    states = permute_axes(everything, (1, 0, 2)) if time else everything
    results: list[Seen | None] = [places.so_far(steps, time), *[states] * (count - 1)]
    return results
