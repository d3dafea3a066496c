"""What results see of tensors that are put one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.analysis.traced.receptive import regions as places
from neuropil.analysis.traced.receptive.axis_views import (
    Seen,
    Unknown,
    View,
    as_regions,
    make_view,
)
from neuropil.analysis.traced.receptive.regions import Regions
from neuropil.analysis.traced.receptive.view_shapes import in_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.traced.receptive.operands import Result, Taken
    from neuropil.analysis.traced.receptive.regions import Sizes
    from neuropil.analysis.traced.run_record import Value


def cat(taken: Taken) -> Result:
    """Tensors one after the other."""
    return concatenate(taken, taken.step.args[0], taken.argument(1, "dim", 0), taken.target)


def stack(taken: Taken) -> Result:
    """Tensors along a new axis."""
    values = taken.step.args[0]
    axis = taken.argument(1, "dim", 0) % len(taken.target)
    seen: dict[int, Seen] = {}
    singles: list[Value] = []
    for value in values:
        shape = (*value.shape[:axis], 1, *value.shape[axis:])
        singles.append(value._replace(shape=shape))
        before = in_shape(taken.of(value), value.shape, shape)
        if before is not None:
            seen[value.number] = before
    return concatenate(taken._replace(seen=seen), singles, axis, taken.target)


def concatenate(taken: Taken, values: Sequence[Value], axis: int, target: Sizes) -> Seen | None:
    """Return what is seen by a tensor that is joined from others along an axis."""
    axis %= len(target)
    # An empty tensor of one axis may be joined to any.
    parts = [(taken.of(v), v.shape) for v in values if len(v.shape) == len(target)]
    for seen, _ in parts:
        if isinstance(seen, Unknown):
            return seen
    views = [seen for seen, _ in parts if isinstance(seen, View)]
    if not any(seen is not None for seen, _ in parts):
        return None
    others = any(isinstance(seen, Regions) for seen, _ in parts)
    if not others and len({view.axes for view in views}) == 1 and axis not in views[0].axes:
        return concatenate_views(parts, views[0], axis)
    full = [
        (as_regions(seen, shape) if isinstance(seen, View) else seen, shape)
        for seen, shape in parts
    ]
    return places.concatenate(full, axis)  # pyright: ignore[reportArgumentType]  # none is unknown


def concatenate_views(
    parts: Sequence[tuple[Seen | None, Sizes]], like: View, axis: int
) -> View:
    """Return the view of a tensor that is joined along its channels."""
    kinds: list[Any] = []
    labels = []
    for seen, shape in parts:
        if isinstance(seen, View):
            labels.append((seen.labels + len(kinds), shape[axis]))
            kinds += seen.kinds
        else:
            labels.append((np.full((1,) * len(shape), len(kinds)), shape[axis]))
            kinds.append(None)
    common = np.broadcast_shapes(*(places.keepdim(each.shape, axis) for each, _ in labels))
    spread = [
        np.broadcast_to(each, (*common[:axis], length, *common[axis + 1 :]))
        for each, length in labels
    ]
    return make_view(like.axes, kinds, np.concatenate(spread, axis), like.lengths)
