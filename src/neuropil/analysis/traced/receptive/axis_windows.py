"""Windows of operations along an axis, and what is seen through them."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from neuropil.analysis.receptive_field.axis_field import (
    Field,
    field_after,
    field_over_all,
    window,
)
from neuropil.analysis.traced.receptive import regions as places
from neuropil.analysis.traced.receptive.axis_views import Seen, View, as_regions, with_fields
from neuropil.analysis.traced.receptive.regions import Regions
from neuropil.core.window import Reach, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.analysis.traced.receptive.operands import Taken
    from neuropil.analysis.traced.receptive.regions import Sizes


class Sliding(NamedTuple):
    """Windows that move on by as much from output to output.

    Args:
        reach: What an output sees of the places before.
    """

    reach: Reach

    def field(self, before: Field, _inner: int, outer: int, _length: int) -> Field:
        """Return what the outputs see, from what the places before see."""
        return field_after(before, self.reach, outer)

    def ranges(self, _inner: int, outer: int) -> list[tuple[int, int]]:
        """Return the first and the last place that each output sees."""
        start, jump, size = self.reach.start or Fraction(0), self.reach.jump, self.reach.size
        return [window(start + jump * output, size) for output in range(outer)]


class Cells(NamedTuple):
    """As many cells as there are outputs, as adaptive pooling makes them."""

    def field(self, before: Field, inner: int, outer: int, length: int) -> Field:
        """Return what the outputs see, from what the places before see."""
        if outer == 1:
            return field_over_all(before, inner, length)
        if inner % outer == 0:
            size = inner // outer
            return field_after(before, Reach(size, Fraction(size), Fraction(0)), outer)
        if before.sees_all:
            return before
        spans = (before.between(*cell) for cell in self.ranges(inner, outer))
        return Field(None, tuple(spans), before.placed)

    def ranges(self, inner: int, outer: int) -> list[tuple[int, int]]:
        """Return the first and the last place that each output sees."""
        return [
            (output * inner // outer, -(-(output + 1) * inner // outer) - 1)
            for output in range(outer)
        ]


Motion: TypeAlias = "Sliding | Cells"


def window_motion(
    size: int, stride: int = 1, padding: int = 0, dilation: int = 1, *, transposed: bool = False
) -> Sliding:
    """Return the windows of a convolution or of pooling."""
    window = Window(size, stride, dilation, padding)
    return Sliding(window.transposed_reach() if transposed else window.reach(None))


def shift(start: int, step: int = 1) -> Sliding:
    """Return what a slice sees: places from `start` on."""
    return Sliding(Reach(1, Fraction(step), Fraction(start)))


def blocks(size: int) -> Sliding:
    """Return what sees blocks of places."""
    return Sliding(Reach(size, Fraction(size), Fraction(0)))


def copies(factor: int) -> Sliding:
    """Return what sees every place so many times."""
    return Sliding(Reach(1, Fraction(1, factor), Fraction(1 - factor, factor)))


def upsample(
    kind: str, inner: int, outer: int, *, corners: bool = False, scale: float | None = None
) -> Sliding:
    """Return what the outputs of an enlargement, or of its opposite, see.

    Args:
        kind: ``"nearest"``, ``"nearest-exact"``, ``"linear"`` or ``"cubic"``.
        inner: How many places there were.
        outer: How many there are.
        corners: Whether the outermost places stay where they are.
        scale: The factor, where it is not the ratio of these.
    """
    jump = Fraction(inner, outer)
    if scale:
        jump = 1 / Fraction(scale).limit_denominator(1000)
    start = Fraction(0) if kind == "nearest" else jump / 2
    if kind in {"linear", "cubic"}:
        start -= Fraction(1, 2)
        if corners:
            jump = Fraction(inner - 1, outer - 1) if outer > 1 else Fraction(0)
            start = Fraction(0)
    grain = Fraction(1, math.lcm(start.denominator, jump.denominator))
    if kind.startswith("nearest"):
        return Sliding(Reach(1, jump, start - 1 + grain))
    # All nearer than one place, or two: what lies just there weighs nothing.
    near = {"linear": 1, "cubic": 2}[kind]
    exact = Fraction(2 * near) - 2 * grain + 1
    return Sliding(Reach(exact, jump, start - near + grain))  # pyright: ignore[reportArgumentType]  # see `field.window`


def along(taken: Taken, seen: Seen, motions: Mapping[int, Motion], target: Sizes) -> Seen:
    """Return what windows along some axes see.

    Args:
        taken: The operation.
        seen: What the tensor sees.
        motions: The windows along each axis.
        target: The shape of the result.
    """
    shape = taken.x.shape
    if isinstance(seen, View):
        if all(seen.labels.shape[axis] == 1 for axis in motions):
            return move_windows(seen, motions, shape, target)
        seen = as_regions(seen, shape)
    if isinstance(seen, Regions):
        for axis, motion in motions.items():
            ranges = motion.ranges(shape[axis], target[axis])
            seen = places.windows(seen, axis, ranges)
    return seen


def move_windows(
    view: View, motions: Mapping[int, Motion], shape: Sizes, target: Sizes
) -> View:
    """Return a view through windows along axes of the input."""

    def change(place: int, field: Field) -> Field:
        axis = view.axes[place]
        if axis is None or axis not in motions:
            return field
        return motions[axis].field(field, shape[axis], target[axis], view.lengths[place])

    return with_fields(view, change, view.axes)
