"""Receptive fields of a tensor, stored separately for each position."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from neuropil.analysis.receptive_field.axis_field import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[np.int64]"
Sizes: TypeAlias = "tuple[int, ...]"
# Reduces the first inputs (`np.min`) or the last inputs (`np.max`) of several positions.
Reduction: TypeAlias = "Callable[..., Array]"

# Values of `low` and `high` for a position that sees nothing.
NEVER_LOW, NEVER_HIGH = 2**40, -(2**40)

# Maximum number of positions stored separately.
MOST = 2**22


class TooManyError(ValueError):
    """Raised when more than `MOST` positions have different receptive fields."""


class Regions(NamedTuple):
    """First and last input that each position of a tensor sees.

    The arrays have the tensor's axes. Along an axis of length 1, all positions see the same.

    Args:
        low: First input seen, for each axis of the input.
        high: Last input seen, for each axis of the input.
    """

    low: tuple[Array, ...]
    high: tuple[Array, ...]

    def map(self, change: Callable[[Array, Reduction], Array]) -> Regions:
        """Return regions with every array changed; `change` also gets the reduction to use."""
        return Regions(
            tuple(change(array, np.min) for array in self.low),
            tuple(change(array, np.max) for array in self.high),
        )

    def rearrange(self, change: Callable[[Array], Array]) -> Regions:
        """Return regions with the positions rearranged."""
        return self.map(lambda array, _: change(array))

    def fields(self, lengths: Sizes) -> tuple[Field, ...]:
        """Return the field along each axis of an input of the given lengths."""
        return tuple(map(field_of, self.low, self.high, lengths))


def union_of(regions: Sequence[Regions]) -> Regions:
    """Return the union of regions, elementwise."""
    lows, highs = zip(*regions, strict=True)
    return Regions(
        tuple(combine(np.minimum, arrays) for arrays in zip(*lows, strict=True)),
        tuple(combine(np.maximum, arrays) for arrays in zip(*highs, strict=True)),
    )


def combine(function: np.ufunc, arrays: Sequence[Array]) -> Array:
    """Combine arrays elementwise, unless the result would be too large."""
    check_size(np.broadcast_shapes(*(array.shape for array in arrays)))
    return functools.reduce(function, arrays)


def check_size(shape: Sizes) -> Sizes:
    """Return a shape unchanged if its positions can be stored separately.

    Raises:
        TooManyError: When there are more than `MOST`.
    """
    if np.prod(shape, dtype=np.int64) > MOST:
        raise TooManyError
    return shape


def merge_along(regions: Regions, axes: Sequence[int]) -> Regions:
    """Return the regions where each position sees all of some axes; these get length 1."""
    axes = tuple(axes)
    return regions.map(lambda array, join: join(array, axis=axes, keepdims=True))


def accumulate(regions: Regions, axis: int) -> Regions:
    """Return the regions where each position sees all positions up to it along an axis."""

    def change(array: Array, join: Reduction) -> Array:
        function = np.minimum if join is np.min else np.maximum
        return function.accumulate(array, axis=axis)

    return regions.map(change)


def windows(regions: Regions, axis: int, ranges: Sequence[tuple[int, int]]) -> Regions:
    """Return regions through windows along an axis.

    Args:
        regions: Regions of the inputs.
        axis: The axis.
        ranges: First and last input of each window.
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

    return regions.map(change)


def concatenate(parts: Sequence[Regions], lengths: Sequence[int], axis: int) -> Regions:
    """Return the regions of tensors concatenated along an axis.

    Args:
        parts: Regions of each tensor.
        lengths: Length of each tensor along the axis.
        axis: The axis.
    """
    low, high = (
        tuple(concatenate_arrays(arrays, lengths, axis) for arrays in zip(*ends, strict=True))
        for ends in zip(*parts, strict=True)
    )
    return Regions(low, high)


def concatenate_arrays(arrays: Sequence[Array], lengths: Sequence[int], axis: int) -> Array:
    """Return arrays concatenated along an axis, which they have with length 1 or in full."""
    common = np.broadcast_shapes(*(keepdim(array.shape, axis) for array in arrays))
    shapes = [check_size((*common[:axis], n, *common[axis + 1 :])) for n in lengths]
    return np.concatenate([*map(np.broadcast_to, arrays, shapes)], axis)


def nothing_seen(inputs: int, rank: int) -> Regions:
    """Return the regions of a tensor that sees nothing.

    Args:
        inputs: Number of axes of the input.
        rank: Number of axes of the tensor.
    """
    low, high = (np.full((1,) * rank, never) for never in (NEVER_LOW, NEVER_HIGH))
    return Regions((low,) * inputs, (high,) * inputs)


def keepdim(shape: Sizes, axis: int) -> Sizes:
    """Return a shape with length 1 along an axis."""
    return (*shape[:axis], 1, *shape[axis + 1 :])


def field_of(low: Array, high: Array, length: int) -> Field:
    """Return the field along one axis of the input, from the first and last inputs seen."""
    low, high = np.broadcast_arrays(low, high)
    varying = [axis for axis in range(low.ndim) if is_varying(low, high, axis)]
    # Positions that differ along several axes have no order; the longest span gives the size.
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
    """Tell whether positions along an axis see different inputs."""
    return any(bool((array != array.take([0], axis)).any()) for array in (low, high))


def regroup(old: Sizes, new: Sizes) -> list[tuple[slice, slice]]:
    """Return the groups of neighbouring axes of one shape that become groups of another.

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
    """Return an array for a reshaped tensor, with length 1 along an axis where possible."""
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
