"""Receptive fields after a reshape or after axes are reduced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.analysis.receptive_field.axis_field import field_over_all
from neuropil.analysis.traced.receptive.axis_views import (
    Seen,
    View,
    as_regions,
    detach_axes,
    make_view,
    map_fields,
    outputs_of,
    union_of_kinds,
)
from neuropil.analysis.traced.receptive.regions import Regions, regroup, reshape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.analysis.traced.receptive.regions import Array, Sizes


def with_shape(seen: Seen | None, old: Sizes, new: Sizes) -> Seen | None:
    """Return the receptive fields of a tensor after a reshape."""
    if isinstance(seen, View):
        seen = reshape_view(seen, old, new) or as_regions(seen, old)
    if isinstance(seen, Regions):
        return seen.rearrange(lambda array: reshape(array, old, new))
    return seen


def reshape_view(view: View, old: Sizes, new: Sizes) -> View | None:
    """Return a view after a reshape; ``None`` where it merges or splits the input's axes."""
    axes: list[int | None] = list(view.axes)
    places = {axis: place for place, axis in enumerate(view.axes) if axis is not None}
    for before, after in regroup(old, new):
        carried = [axis for axis in range(before.start, before.stop) if axis in places]
        if not carried:
            continue
        lengths = [n for n in old[before] if n > 1], [n for n in new[after] if n > 1]
        longer = [axis for axis in range(after.start, after.stop) if new[axis] > 1]
        if len(carried) > 1 or lengths[0] != lengths[1] or len(longer) > 1:
            return None
        if old[carried[0]] > 1:
            axes[places[carried[0]]] = longer[0]
        elif longer:
            return None
        elif before.stop - before.start == after.stop - after.start == 1:
            axes[places[carried[0]]] = after.start
        else:
            axes[places[carried[0]]] = None
    lost = [a is not None and b is None for a, b in zip(view.axes, axes, strict=True)]
    labels = reshape(view.labels, old, new)
    view = View(view.axes, view.kinds, labels, view.lengths)
    return map_fields(
        view,
        lambda place, field: (
            field_over_all(field, 1, view.lengths[place]) if lost[place] else field
        ),
        axes,
    )


def reduce_axes(view: View, axes: Sequence[int], shape: Sizes) -> View:
    """Return a view where each position sees all of some axes; these get length 1.

    Args:
        view: Receptive fields of the tensor.
        axes: Axes to reduce.
        shape: Shape of the tensor.
    """
    mixed = [axis in axes for axis in view.axes]
    if any(mixed):
        view = detach_axes(
            view,
            mixed,
            lambda place, field: field_over_all(
                field, shape[view.axes[place] or 0], view.lengths[place]
            ),
        )
    if view.alike or all(view.labels.shape[axis] == 1 for axis in axes):
        return view
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    rows = view.labels.transpose(*kept, *axes)
    rest = rows.shape[: len(kept)]
    final = [1 if axis in axes else length for axis, length in enumerate(view.labels.shape)]
    rows = rows.reshape(int(np.prod(rest)), -1)
    return union_of_groups(view, rows, shape, lambda labels: labels.reshape(final))


def union_of_groups(
    view: View, rows: Array, shape: Sizes, arrange: Callable[[Array], Array]
) -> View:
    """Return a view in which the kinds of each row of labels are united.

    Args:
        view: Receptive fields of the tensor.
        rows: Labels of each group.
        shape: Shape of the tensor.
        arrange: Gives the labels of the groups their final shape.
    """
    outputs = outputs_of(view.axes, shape)
    sets: dict[frozenset[int], int] = {}
    labels = [sets.setdefault(frozenset(row.tolist()), len(sets)) for row in rows]
    kinds = [
        union_of_kinds([view.kinds[i] for i in sorted(set_)], outputs, view.lengths)
        for set_ in sets
    ]
    return make_view(view.axes, kinds, arrange(np.array(labels, np.int64)), view.lengths)
