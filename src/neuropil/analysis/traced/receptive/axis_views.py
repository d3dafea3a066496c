"""Receptive fields of a tensor whose axes are still those of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from neuropil.analysis.receptive_field.axis_field import Field, field_over_all, union
from neuropil.analysis.traced.receptive.regions import (
    NEVER_HIGH,
    NEVER_LOW,
    Regions,
    check_size,
    union_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from neuropil.analysis.traced.receptive.regions import Array, Sizes

# The field along each axis of the input; None where nothing of the input is seen.
Kind: TypeAlias = "tuple[Field, ...] | None"


class View(NamedTuple):
    """Receptive fields of the channels of a tensor, along each axis of the input.

    Args:
        axes: For each axis of the input, the tensor's axis that corresponds to it; ``None``
            where all positions see the same.
        kinds: The distinct receptive fields. Usually there is one, but branches differ.
        labels: Index into `kinds` for each channel: an array with the tensor's axes, of length
            1 along those in `axes` and along those where all see the same.
        lengths: Lengths of the input's axes.
    """

    axes: tuple[int | None, ...]
    kinds: tuple[Kind, ...]
    labels: Array
    lengths: Sizes

    @property
    def alike(self) -> bool:
        """Whether all channels have the same receptive field."""
        return len(self.kinds) == 1


class Unknown(NamedTuple):
    """Receptive field of a tensor for which it cannot be determined.

    Args:
        reason: The operation to blame.
    """

    reason: str


Seen: TypeAlias = "View | Regions | Unknown"


def make_view(
    axes: Sequence[int | None], kinds: Sequence[Kind], labels: Array, lengths: Sizes
) -> View:
    """Return a view whose kinds are distinct and all in use."""
    axes = tuple(axes)
    if len(kinds) > 1:
        used = np.unique(labels)
        if len(used) < len(kinds):
            kinds = [
                kind if place in used else kinds[used[0]] for place, kind in enumerate(kinds)
            ]
    places = {kind: place for place, kind in enumerate(dict.fromkeys(kinds))}
    if len(places) == 1:
        return View(axes, (*places,), np.zeros((1,) * labels.ndim, np.int64), lengths)
    numbers = np.array([places[kind] for kind in kinds], np.int64)
    return View(axes, tuple(places), numbers[labels], lengths)


def map_fields(
    view: View, change: Callable[[int, Field], Field], axes: Sequence[int | None]
) -> View:
    """Return a view with every field changed; `change` gets the place of the input's axis."""
    kinds = [
        None
        if kind is None
        else tuple(change(place, field) for place, field in enumerate(kind))
        for kind in view.kinds
    ]
    return make_view(axes, kinds, view.labels, view.lengths)


def detach_axes(
    view: View, detached: Sequence[bool], change: Callable[[int, Field], Field]
) -> View:
    """Return a view with some fields changed, whose axes no longer tell the input's position.

    Args:
        view: Receptive fields of the tensor.
        detached: For each axis of the input, whether it is changed.
        change: Returns the new field, from the place of the input's axis and the old field.
    """
    return map_fields(
        view,
        lambda place, field: change(place, field) if detached[place] else field,
        [None if gone else axis for axis, gone in zip(view.axes, detached, strict=True)],
    )


def in_regions(seen: Seen | None, shape: Sizes) -> Regions | Unknown | None:
    """Return receptive fields with views replaced by regions."""
    return as_regions(seen, shape) if isinstance(seen, View) else seen


def as_regions(view: View, shape: Sizes) -> Regions:
    """Return a view as regions, position by position.

    Args:
        view: Receptive fields of the tensor.
        shape: Shape of the tensor.
    """
    pairs = [spans_by_place(view, place, shape) for place in range(len(view.axes))]
    return Regions(tuple(low for low, _ in pairs), tuple(high for _, high in pairs))


def spans_by_place(view: View, place: int, shape: Sizes) -> tuple[Array, Array]:
    """Return the first and last input seen by each position, along one axis of the input."""
    axis = view.axes[place]
    length = 1 if axis is None else shape[axis]
    spans = [
        [None if kind is None else kind[place].at(output) for output in range(length)]
        for kind in view.kinds
    ]
    arrays = []
    for end, nothing in ((0, NEVER_LOW), (1, NEVER_HIGH)):
        table = np.array(
            [[nothing if span is None else span[end] for span in row] for row in spans],
            np.int64,
        )
        check_size((*view.labels.shape, length))
        array = table[view.labels]
        if axis is None:
            array = array[..., 0]
        else:
            array = np.moveaxis(array, -1, axis).squeeze(axis + 1)
        arrays.append(array)
    return arrays[0], arrays[1]


def union_of_kinds(
    kinds: Iterable[Kind], outputs: Sequence[int | None], lengths: Sizes
) -> Kind:
    """Return the union of several kinds.

    Args:
        kinds: Receptive fields to unite.
        outputs: Length of the tensor's axis that corresponds to each axis of the input.
        lengths: Lengths of the input's axes.
    """
    some = [kind for kind in dict.fromkeys(kinds) if kind is not None]
    if len(some) < 2:
        return some[0] if some else None
    return tuple(map(union, zip(*some, strict=True), outputs, lengths))


def outputs_of(axes: Sequence[int | None], shape: Sizes) -> list[int]:
    """Return the length of the tensor's axis that corresponds to each axis of the input."""
    return [1 if axis is None else shape[axis] for axis in axes]


def broadcast(view: View, shape: Sizes, target: Sizes) -> View:
    """Return the view of a tensor that is broadcast to another shape."""
    more = len(target) - len(shape)
    labels = view.labels.reshape((1,) * more + view.labels.shape)
    axes = [None if axis is None else axis + more for axis in view.axes]
    stretched = [axis is not None and shape[axis - more] == 1 < target[axis] for axis in axes]
    view = View(tuple(axes), view.kinds, labels, view.lengths)
    if not any(stretched):
        return view
    return detach_axes(
        view, stretched, lambda place, field: field_over_all(field, 1, view.lengths[place])
    )


def merge(parts: Sequence[tuple[Seen | None, Sizes]], target: Sizes) -> Seen | None:
    """Return the receptive fields of a tensor that is computed from others elementwise.

    Args:
        parts: Receptive fields and shape of each operand; ``None`` for one that sees nothing.
            Operands are broadcast to the target.
        target: Shape of the result.
    """
    some = [(seen, shape) for seen, shape in parts if seen is not None]
    if not some or (len(some) == 1 and some[0][1] == target):
        return some[0][0] if some else None
    known: list[tuple[View | Regions, Sizes]] = []
    for seen, shape in some:
        if isinstance(seen, Unknown):
            return seen
        known.append((seen, shape))
    views = [broadcast(seen, shape, target) for seen, shape in known if isinstance(seen, View)]
    together = merge_views(views, target) if len(views) == len(known) else None
    return together or union_of([as_places(seen, shape, target) for seen, shape in known])


def as_places(seen: View | Regions, shape: Sizes, target: Sizes) -> Regions:
    """Return receptive fields as regions with the rank of the target."""
    if isinstance(seen, View):
        return as_regions(broadcast(seen, shape, target), target)
    more = (1,) * (len(target) - len(shape))
    return seen.rearrange(lambda array: array.reshape(more + array.shape))


def merge_views(views: Sequence[View], target: Sizes) -> View | None:
    """Return the union of views; ``None`` if they assign different axes to the input's."""
    together: View | None = views[0]
    for view in views[1:]:
        together = together and merge_pair(together, view, target)
    return together


def merge_pair(one: View, other: View, target: Sizes) -> View | None:
    """Return the union of two views; ``None`` if they assign different axes to the input's."""
    axes = []
    for a, b in zip(one.axes, other.axes, strict=True):
        if a is not None and b is not None and a != b:
            return None
        axes.append(b if a is None else a)
    outputs = outputs_of(axes, target)
    if one.alike and other.alike:
        kind = union_of_kinds((one.kinds[0], other.kinds[0]), outputs, one.lengths)
        return View(tuple(axes), (kind,), one.labels, one.lengths)
    kinds = [
        union_of_kinds((a, b), outputs, one.lengths) for a in one.kinds for b in other.kinds
    ]
    labels = one.labels * len(other.kinds) + other.labels
    if any(axis is not None and labels.shape[axis] > 1 for axis in axes):
        return None
    return make_view(axes, kinds, labels, one.lengths)
