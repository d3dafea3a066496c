"""What each place of a tensor sees of an input, place by place."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from neuropil.analysis.receptive_field.axis_field import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[np.int64]"
Sizes: TypeAlias = "tuple[int, ...]"
# What joins the firsts, `np.min`, or the lasts, `np.max`, of several places.
Reduction: TypeAlias = "Callable[..., Array]"

# Where a place sees nothing: no first, no last.
NEVER_LOW, NEVER_HIGH = 2**40, -(2**40)

# So many places are told apart.
MOST = 2**22


class TooManyError(ValueError):
    """Raised where so many places see differently that nobody could tell."""


class Regions(NamedTuple):
    """The first and the last input that each place of a tensor sees.

    The arrays have the tensor's axes; along those of length 1 all places see the same.

    Args:
        low: For each axis of the input the first one seen.
        high: Likewise the last.
    """

    low: tuple[Array, ...]
    high: tuple[Array, ...]

    def mapped(self, change: Callable[[Array, Reduction], Array]) -> Regions:
        """Return the same with every array changed; the change is told what joins places."""
        return Regions(
            tuple(change(array, np.min) for array in self.low),
            tuple(change(array, np.max) for array in self.high),
        )

    def rearranged(self, change: Callable[[Array], Array]) -> Regions:
        """Return the same with the places put elsewhere."""
        return self.mapped(lambda array, _: change(array))

    def fields(self, lengths: Sizes) -> tuple[Field, ...]:
        """Return what is seen along each axis of the input; that has the lengths given."""
        return tuple(map(field_of, self.low, self.high, lengths))


def union_of(regions: Sequence[Regions]) -> Regions:
    """Return what is seen by several ways."""
    first, *rest = regions
    low, high = list(first.low), list(first.high)
    for other in rest:
        low = [combine(np.minimum, a, b) for a, b in zip(low, other.low, strict=True)]
        high = [combine(np.maximum, a, b) for a, b in zip(high, other.high, strict=True)]
    return Regions(tuple(low), tuple(high))


def combine(function: np.ufunc, a: Array, b: Array) -> Array:
    """Join two arrays that are not too large together."""
    check_size(np.broadcast_shapes(a.shape, b.shape))
    return function(a, b)


def check_size(shape: Sizes) -> Sizes:
    """Return a shape of so many places as can be told apart.

    Raises:
        TooManyError: When there are more.
    """
    if np.prod(shape, dtype=np.int64) > MOST:
        raise TooManyError
    return shape


def over(regions: Regions, axes: Sequence[int]) -> Regions:
    """Return what is seen by places that each see all along some axes."""
    axes = tuple(axes)
    return regions.mapped(lambda array, join: join(array, axis=axes, keepdims=True))


def so_far(regions: Regions, axis: int) -> Regions:
    """Return what is seen by places that see all places up to theirs along an axis."""

    def change(array: Array, join: Reduction) -> Array:
        function = np.minimum if join is np.min else np.maximum
        return function.accumulate(array, axis=axis)

    return regions.mapped(change)


def windows(regions: Regions, axis: int, ranges: Sequence[tuple[int, int]]) -> Regions:
    """Return what is seen through windows along an axis.

    Args:
        regions: What the places before see.
        axis: The axis.
        ranges: The first and the last place of each window.
    """

    def change(array: Array, join: Reduction) -> Array:
        length = array.shape[axis]
        if length == 1:
            return array
        nothing = NEVER_LOW if join is np.min else NEVER_HIGH
        parts = [
            join(
                array.take(range(max(first, 0), min(last, length - 1) + 1), axis),
                axis=axis,
                keepdims=True,
                initial=nothing,
            )
            for first, last in ranges
        ]
        return np.concatenate(parts, axis)

    return regions.mapped(change)


def concatenate(parts: Sequence[tuple[Regions | None, Sizes]], axis: int) -> Regions:
    """Return what a tensor sees that is joined from others.

    Args:
        parts: What each sees, and its shape.
        axis: Along which axis they are joined.
    """
    rank = len(next(part for part, _ in parts if part is not None).low)

    def along(index: int, *, low: bool) -> Array:
        arrays: list[Array] = []
        for part, shape in parts:
            if part is None:
                array = np.full((1,) * len(shape), NEVER_LOW if low else NEVER_HIGH)
            else:
                array = (part.low if low else part.high)[index]
            arrays.append(array)
        common = np.broadcast_shapes(*(keepdim(a.shape, axis) for a in arrays))
        return np.concatenate(
            [
                np.broadcast_to(
                    array, check_size((*common[:axis], shape[axis], *common[axis + 1 :]))
                )
                for array, (_, shape) in zip(arrays, parts, strict=True)
            ],
            axis,
        )

    return Regions(
        tuple(along(index, low=True) for index in range(rank)),
        tuple(along(index, low=False) for index in range(rank)),
    )


def keepdim(shape: Sizes, axis: int) -> Sizes:
    """Return a shape with length 1 along an axis."""
    return (*shape[:axis], 1, *shape[axis + 1 :])


def field_of(low: Array, high: Array, length: int) -> Field:
    """Return what is seen along one axis of the input as a field."""
    low, high = np.broadcast_arrays(low, high)
    varying = [axis for axis in range(low.ndim) if is_varying(low, high, axis)]
    # What differs along several axes has no order: the longest says how much is seen.
    firsts, lasts = low, high
    for axis in range(low.ndim):
        if axis not in varying:
            firsts, lasts = firsts.take([0], axis), lasts.take([0], axis)
    spans = [
        None if first > last else (int(first), int(last))
        for first, last in zip(firsts.ravel(), lasts.ravel(), strict=True)
    ]
    if len(spans) == 1:
        span = spans[0]
        return Field(0, (span and (max(span[0], 0), min(span[1], length - 1)),))
    steps = {
        (b[0] - a[0], b[1] - a[1]) if a and b else None for a, b in itertools.pairwise(spans)
    }
    (step,) = steps if len(steps) == 1 else (None,)
    if step is not None and step[0] == step[1] > 0 and len(varying) == 1:
        return Field(step[0], (spans[0],))
    return Field(None, tuple(spans), placed=len(varying) == 1)


def is_varying(low: Array, high: Array, axis: int) -> bool:
    """Tell whether places along an axis see different inputs."""
    return any(bool((array != array.take([0], axis)).any()) for array in (low, high))


def regroup(old: Sizes, new: Sizes) -> list[tuple[slice, slice]]:
    """Return which neighbouring axes of one shape become which of another.

    Example:
        >>> regroup((1, 6, 4), (1, 2, 3, 4))
        [(slice(0, 1, None), slice(0, 1, None)), (slice(1, 2, None), slice(1, 3, None)),
         (slice(2, 3, None), slice(3, 4, None))]
    """
    groups: list[tuple[slice, slice]] = []
    i = j = 0
    while i < len(old) or j < len(new):
        start = i, j
        left, right = 1, 1
        if i < len(old):
            left, i = old[i], i + 1
        if j < len(new):
            right, j = new[j], j + 1
        while left != right:
            if left < right:
                left, i = left * old[i], i + 1
            else:
                right, j = right * new[j], j + 1
        groups.append((slice(start[0], i), slice(start[1], j)))
    return groups


def reshape(array: Array, old: Sizes, new: Sizes) -> Array:
    """Return an array for another shape of the same tensor, with length 1 where it can be."""
    spread: list[int] = []
    target: list[int] = []
    for before, after in regroup(old, new):
        if all(length == 1 for length in array.shape[before]):
            spread += array.shape[before]
            target += [1] * (after.stop - after.start)
        else:
            spread += old[before]
            target += new[after]
    return np.broadcast_to(array, check_size(tuple(spread))).reshape(target)
