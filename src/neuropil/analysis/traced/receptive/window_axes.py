"""Windows along the axes of a tensor that is seen through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.analysis.traced.receptive import regions as places
from neuropil.analysis.traced.receptive.axis_views import (
    Seen,
    View,
    as_regions,
    labelled,
    with_fields,
)
from neuropil.analysis.traced.receptive.axis_windows import Motion, shifted
from neuropil.analysis.traced.receptive.regions import Regions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.analysis.receptive_field.axis_field import Field
    from neuropil.analysis.traced.receptive.operands import Taken
    from neuropil.analysis.traced.receptive.regions import Sizes


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
            return moved(seen, motions, shape, target)
        seen = as_regions(seen, shape)
    if isinstance(seen, Regions):
        for axis, motion in motions.items():
            ranges = motion.ranges(shape[axis], target[axis])
            seen = places.windows(seen, axis, ranges)
    return seen


def moved(view: View, motions: Mapping[int, Motion], shape: Sizes, target: Sizes) -> View:
    """Return a view through windows along axes of the input."""

    def change(place: int, field: Field) -> Field:
        axis = view.axes[place]
        if axis is None or axis not in motions:
            return field
        return motions[axis].field(field, shape[axis], target[axis], view.lengths[place])

    return with_fields(view, change, view.axes)


def part(taken: Taken, seen: Seen, axis: int, indices: range, target: Sizes) -> Seen:
    """Return what is seen by every so many places along an axis."""
    indices = indices[: target[axis]]
    if isinstance(seen, View) and seen.labels.shape[axis] > 1:
        return labelled(seen.axes, seen.kinds, seen.labels.take(indices, axis), seen.lengths)
    return along(taken, seen, {axis: shifted(indices.start, indices.step)}, target)
