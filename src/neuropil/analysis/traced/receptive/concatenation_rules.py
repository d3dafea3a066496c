"""Receptive-field rules of concatenation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.analysis.traced.receptive import regions as places
from neuropil.analysis.traced.receptive.axis_views import (
    Seen,
    Unknown,
    View,
    in_regions,
    make_view,
)
from neuropil.analysis.traced.receptive.regions import Regions
from neuropil.analysis.traced.receptive.view_shapes import with_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.traced.receptive.operands import Operands, Result
    from neuropil.analysis.traced.receptive.regions import Sizes
    from neuropil.analysis.traced.run_record import Value


def cat(operands: Operands) -> Result:
    """Rule of concatenation along an existing axis."""
    return concatenate(
        operands, operands.step.args[0], operands.argument(1, "dim", 0), operands.target
    )


def stack(operands: Operands) -> Result:
    """Rule of concatenation along a new axis."""
    values = operands.step.args[0]
    axis = operands.argument(1, "dim", 0) % len(operands.target)
    seen: dict[int, Seen] = {}
    singles: list[Value] = []
    for value in values:
        shape = (*value.shape[:axis], 1, *value.shape[axis:])
        singles.append(value._replace(shape=shape))
        before = with_shape(operands.of(value), value.shape, shape)
        if before is not None:
            seen[value.number] = before
    return concatenate(operands._replace(seen=seen), singles, axis, operands.target)


def concatenate(
    operands: Operands, values: Sequence[Value], axis: int, target: Sizes
) -> Seen | None:
    """Return the receptive fields of tensors concatenated along an axis."""
    axis %= len(target)
    # An empty tensor with a single axis may be concatenated with any tensor.
    parts = [(operands.of(v), v.shape) for v in values if len(v.shape) == len(target)]
    for seen, _ in parts:
        if isinstance(seen, Unknown):
            return seen
    views = [seen for seen, _ in parts if isinstance(seen, View)]
    if not any(seen is not None for seen, _ in parts):
        return None
    others = any(isinstance(seen, Regions) for seen, _ in parts)
    if not others and len({view.axes for view in views}) == 1 and axis not in views[0].axes:
        return concatenate_views(parts, views[0], axis)
    regions = [seen for each in parts if isinstance(seen := in_regions(*each), Regions)]
    if len(regions) < len(parts):
        nothing = places.nothing_seen(len(regions[0].low), len(target))
        found = iter(regions)
        regions = [nothing if seen is None else next(found) for seen, _ in parts]
    return places.concatenate(regions, [shape[axis] for _, shape in parts], axis)


def concatenate_views(
    parts: Sequence[tuple[Seen | None, Sizes]], like: View, axis: int
) -> View:
    """Return the view of tensors concatenated along their channel axis."""
    kinds: list[Any] = []
    labels = []
    for seen, shape in parts:
        view = seen if isinstance(seen, View) else None
        labels.append(len(kinds) + (view.labels if view else np.zeros((1,) * len(shape), int)))
        kinds += view.kinds if view else [None]
    joined = places.concatenate_arrays(labels, [shape[axis] for _, shape in parts], axis)
    return make_view(like.axes, kinds, joined, like.lengths)
