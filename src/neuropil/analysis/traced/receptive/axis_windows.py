"""Windows of operations along an axis, and receptive fields through them."""

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
from neuropil.analysis.traced.receptive.axis_views import Seen, View, in_regions, map_fields
from neuropil.analysis.traced.receptive.regions import Regions
from neuropil.core.window import Reach, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.analysis.traced.receptive.operands import Operands
    from neuropil.analysis.traced.receptive.regions import Sizes


class Sliding(NamedTuple):
    """Windows that move by a constant jump from output to output.

    Args:
        reach: Size, jump and start of the windows.
    """

    reach: Reach

    def field(self, before: Field, _inner: int, outer: int, _length: int) -> Field:
        """Return the field of the outputs, from the field of the inputs."""
        return field_after(before, self.reach, outer)

    def ranges(self, _inner: int, outer: int) -> list[tuple[int, int]]:
        """Return the first and last input in the window of each output."""
        start, jump, size = self.reach.start or Fraction(0), self.reach.jump, self.reach.size
        return [window(start + jump * output, size) for output in range(outer)]


class Cells(NamedTuple):
    """Cells of adaptive pooling: one per output, of nearly equal sizes."""

    def field(self, before: Field, inner: int, outer: int, length: int) -> Field:
        """Return the field of the outputs, from the field of the inputs."""
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
        """Return the first and last input in the cell of each output."""
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
    """Return the windows of a slice from `start` on."""
    return Sliding(Reach(1, Fraction(step), Fraction(start)))


def blocks(size: int) -> Sliding:
    """Return the windows of operations that merge blocks of neighbouring positions."""
    return Sliding(Reach(size, Fraction(size), Fraction(0)))


def copies(factor: int) -> Sliding:
    """Return the windows of operations that repeat every position `factor` times."""
    return Sliding(Reach(1, Fraction(1, factor), Fraction(1 - factor, factor)))


def upsample(
    kind: str, inner: int, outer: int, *, corners: bool = False, scale: float | None = None
) -> Sliding:
    """Return the windows of an interpolation, which may enlarge or shrink the axis.

    Args:
        kind: ``"nearest"``, ``"nearest-exact"``, ``"linear"`` or ``"cubic"``.
        inner: Length of the input axis.
        outer: Length of the output axis.
        corners: Whether the corner positions are aligned, as by ``align_corners``.
        scale: Scale factor, where it is not the ratio of the lengths.
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
    # Inputs nearer than one position, or two; those exactly at that distance have weight 0.
    near = {"linear": 1, "cubic": 2}[kind]
    exact = Fraction(2 * near) - 2 * grain + 1
    return Sliding(Reach(exact, jump, start - near + grain))  # pyright: ignore[reportArgumentType]  # see `field.window`


def apply_windows(
    operands: Operands, seen: Seen | None, motions: Mapping[int, Motion], target: Sizes
) -> Seen | None:
    """Return receptive fields through windows along some axes.

    Args:
        operands: The operation.
        seen: Receptive fields of its input.
        motions: Windows along each axis.
        target: Shape of the result.
    """
    shape = operands.x.shape
    if isinstance(seen, View) and all(seen.labels.shape[axis] == 1 for axis in motions):
        return move_windows(seen, motions, shape, target)
    seen = in_regions(seen, shape)
    if isinstance(seen, Regions):
        for axis, motion in motions.items():
            ranges = motion.ranges(shape[axis], target[axis])
            seen = places.windows(seen, axis, ranges)
    return seen


def move_windows(
    view: View, motions: Mapping[int, Motion], shape: Sizes, target: Sizes
) -> View:
    """Return a view through windows along axes that correspond to axes of the input."""

    def change(place: int, field: Field) -> Field:
        axis = view.axes[place]
        if axis is None or axis not in motions:
            return field
        return motions[axis].field(field, shape[axis], target[axis], view.lengths[place])

    return map_fields(view, change, view.axes)
