"""What a tensor sees in another shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.analysis.receptive_field.axis_field import behind_everything
from neuropil.analysis.traced.receptive.axis_views import Seen, View, as_regions, with_fields
from neuropil.analysis.traced.receptive.regions import Regions, regroup, reshaped

if TYPE_CHECKING:
    from neuropil.analysis.traced.receptive.regions import Sizes


def in_shape(seen: Seen, old: Sizes, new: Sizes) -> Seen:
    """Return what a tensor sees in another shape."""
    if isinstance(seen, View):
        view = reshaped_view(seen, old, new)
        if view is not None:
            return view
        seen = as_regions(seen, old)
    if isinstance(seen, Regions):
        return seen.rearranged(lambda array: reshaped(array, old, new))
    return seen


def reshaped_view(view: View, old: Sizes, new: Sizes) -> View | None:
    """Return a view in another shape; ``None`` where the input's axes are not kept."""
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
    labels = reshaped(view.labels, old, new)
    view = View(view.axes, view.kinds, labels, view.lengths)
    return with_fields(
        view,
        lambda place, field: (
            behind_everything(field, 1, view.lengths[place]) if lost[place] else field
        ),
        axes,
    )
