"""Receptive-field rules of indexing and other operations that involve positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.analysis.traced.receptive import regions as places
from neuropil.analysis.traced.receptive.axis_views import Seen, View, merge
from neuropil.analysis.traced.receptive.operands import (
    Operands,
    accumulate,
    merge_all,
    merge_along,
    merge_values,
    values_in,
)
from neuropil.analysis.traced.receptive.rearrangement_rules import take_slice
from neuropil.analysis.traced.receptive.view_shapes import with_shape
from neuropil.analysis.traced.run_record import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.traced.receptive.operands import Result, Rule
    from neuropil.analysis.traced.receptive.regions import Sizes


def cumulative(operands: Operands) -> Result:
    """Rule of cumulative sums and maxima: each position depends on those up to it."""
    seen, shape = operands.of(operands.x), operands.x.shape
    if seen is None or not shape:
        return seen
    axis: int = operands.argument(1, "dim", -1) % len(shape)
    if isinstance(seen, View) and axis not in seen.axes and seen.labels.shape[axis] == 1:
        return seen
    return accumulate(seen, axis, shape)


def gather(operands: Operands) -> Result:
    """Rule of gathering: results depend on the whole axis and on their index."""
    index = operands.argument(2, "index")
    parts: list[tuple[Seen | None, Sizes]] = [(operands.of(index), index.shape)]
    seen, shape = operands.of(operands.x), operands.x.shape
    if seen is not None and shape:
        axis = operands.argument(1, "dim") % len(shape)
        for other, length in enumerate(operands.target):
            if other != axis and length < shape[other]:
                single = (*shape[:other], length, *shape[other + 1 :])
                seen = take_slice(operands, seen, other, range(length), single)
                shape = single
        parts.append((merge_along(seen, [axis], shape), places.keepdim(shape, axis)))
    return merge(parts, operands.target)


def index_select(operands: Operands) -> Result:
    """Rule of selecting slices of an axis at computed indices."""
    index = operands.argument(2, "index")
    axis = operands.argument(1, "dim", 0)
    return pick(operands, [index], axis % max(len(operands.x.shape), 1), single=True)


def index_with(operands: Operands) -> Result:
    """Rule of indexing with tensors of indices or with masks."""
    indices = operands.argument(1, "indices", ())
    axes = [axis for axis, index in enumerate(indices) if isinstance(index, Value)]
    values = [index for index in indices if isinstance(index, Value)]
    if not axes:
        return merge_all(operands, [operands.x], operands.target)
    together_ = axes[-1] - axes[0] + 1 == len(axes)
    # As in NumPy, the axes of the indices come first where the indices are not adjacent.
    first = axes[0] if together_ else 0
    single = len(axes) == 1 and len(values[0].shape) == 1
    return pick(operands, values, first, single=single)


def pick(operands: Operands, values: Sequence[Value], axis: int, *, single: bool) -> Result:
    """Return the receptive fields of a tensor at computed indices.

    Args:
        operands: The operation.
        values: The indices.
        axis: First axis that is indexed.
        single: Whether it is the only one, so that the axes after it are kept.
    """
    target = operands.target
    seen, shape = operands.of(operands.x), operands.x.shape
    if single:
        seen, after = merge_along(seen, [axis], shape), places.keepdim(shape, axis)
    else:
        before = (*shape[:axis], *(1 for _ in shape[axis:]))
        after = (*shape[:axis], *(1 for _ in target[axis:]))
        seen = with_shape(merge_along(seen, range(axis, len(shape)), shape), before, after)
    whole = merge_all(operands, values, target)
    return merge([(seen, after), (whole, (1,) * len(target))], target)


def take(operands: Operands) -> Result:
    """Rule of taking elements of the flattened tensor at computed indices."""
    index = operands.argument(1, "index")
    whole = merge_all(operands, [operands.x], operands.target)
    parts = [(operands.of(index), index.shape), (whole, (1,) * len(operands.target))]
    return merge(parts, operands.target)


def unpool(rank: int) -> Rule:
    """Return the rule of max-unpooling, which writes to computed positions of the last axes."""

    def rule(operands: Operands) -> Result:
        parts: list[tuple[Seen | None, Sizes]] = []
        for value in operands.step.args[:2]:
            shape = value.shape
            seen = merge_along(operands.of(value), range(len(shape) - rank, len(shape)), shape)
            parts.append((seen, (*shape[:-rank], *(1 for _ in range(rank)))))
        return merge(parts, operands.target)

    return rule


def search_sorted(operands: Operands) -> Result:
    """Rule of `searchsorted`: results depend on the values searched for."""
    value = operands.argument(1, "self")
    return merge_values(operands, values_in(value), operands.target)


def depends_on_everything(operands: Operands) -> Result:
    """Rule of results whose shape or order depends on the data: each depends on everything."""
    results = operands.step.results
    return [merge_all(operands, operands.values, result.shape) for result in results]


def one_hot(operands: Operands) -> Result:
    """Rule of one-hot encoding, which adds an axis of classes."""
    shape = operands.x.shape
    return merge(
        [(with_shape(operands.of(operands.x), shape, (*shape, 1)), (*shape, 1))],
        operands.target,
    )
