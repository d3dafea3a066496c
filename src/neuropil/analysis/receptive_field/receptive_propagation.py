"""What each layer of a network sees of the network's inputs, worked out along the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neuropil.analysis.block_parts import parts_of
from neuropil.analysis.receptive_field.axis_field import (
    MOST,
    PIXEL,
    Field,
    Span,
    field_after,
    field_over_all,
    union,
)
from neuropil.core.graph import OPEN
from neuropil.layers.rearrange import Rearrangement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neuropil.analysis.calls import Call
    from neuropil.core import Shape
    from neuropil.core.window import Reach


class Sight(NamedTuple):
    """What a call's outputs see of one input of the network.

    Args:
        fields: One for each axis of that input after its channels.
        aligned: Whether the output's axes are still those of the input. After Flatten and the
            like each number sees what it saw before, but where it stands says nothing of where.
    """

    fields: tuple[Field, ...]
    aligned: bool

    @property
    def everything(self) -> bool:
        """Whether each output sees all there is."""
        return all(field.sees_all for field in self.fields)


def source_shapes(calls: Sequence[Call]) -> dict[int, Shape]:
    """Return the shapes of the network's inputs and of its open end by position."""
    shapes: dict[int, Shape] = {}
    for place, call in enumerate(calls):
        if not call.inputs and call.shape is not None:
            shapes[place] = call.shape
        elif OPEN in call.inputs and call.input_shapes is not None:
            shapes[OPEN] = call.input_shapes[call.inputs.index(OPEN)]
    return shapes


def sights(calls: Sequence[Call]) -> list[dict[int, Sight] | None]:
    """Return what each call sees of each input of the network; ``None`` where not known."""
    parts = parts_of(calls)
    seen = part_sights(parts.calls)
    inputs = {end: place for place, end in enumerate(parts.ends)} | {OPEN: OPEN}
    found: list[dict[int, Sight] | None] = []
    for end in parts.ends:
        view = seen[end]
        found.append(view and {inputs[source]: sight for source, sight in view.items()})
    return found


def part_sights(calls: Sequence[Call]) -> list[dict[int, Sight] | None]:
    """Return the same for calls none of which is a block."""
    sources = source_shapes(calls)
    views = {
        place: {place: Sight((PIXEL,) * (len(shape) - 1), aligned=True)}
        for place, shape in sources.items()
    }
    seen: list[dict[int, Sight] | None] = []
    for place, call in enumerate(calls):
        if call.input_shapes is None or call.shape is None:
            seen.append(None)
        elif not call.inputs:
            seen.append(views[place])
        else:
            before = [views[OPEN] if i == OPEN else seen[i] or {} for i in call.inputs]
            seen.append(seen_by(call, before, sources))
    return seen


def seen_by(
    call: Call, before: list[dict[int, Sight]], sources: Mapping[int, Shape]
) -> dict[int, Sight]:
    """Return what a call sees, from what its inputs see."""
    shapes = call.input_shapes or ()
    reaches = call.layer.reaches(*shapes)
    if reaches == () and [*map(len, shapes)] == [len(call.shape or ())]:
        return before[0]
    lengths = (call.shape or ())[1:]
    if isinstance(call.layer, Rearrangement):
        return {
            source: scatter(sight, inner[1:])
            for inner in shapes
            for source, sight in before[0].items()
        }
    if len(before) == 1:
        return {
            source: sight_through(sight, reaches, inner[1:], lengths, sources[source][1:])
            for inner in shapes
            for source, sight in before[0].items()
        }
    result: dict[int, Sight] = {}
    for source in dict.fromkeys(source for sight in before for source in sight):
        views = [
            sight_through(sight[source], reaches, shape[1:], lengths, sources[source][1:])
            for sight, shape in zip(before, shapes, strict=True)
            if source in sight
        ]
        result[source] = union_of_sights(views, lengths, sources[source][1:])
    return result


def sight_through(
    sight: Sight, reaches: tuple[Reach, ...] | None, inner: Shape, outer: Shape, source: Shape
) -> Sight:
    """Return what a layer's outputs see of a source by way of one of its inputs.

    Args:
        sight: What that input sees.
        reaches: What the layer sees of its inputs.
        inner: The lengths of the input's axes.
        outer: The lengths of the output's axes.
        source: The lengths of the source's axes.
    """
    if not sight.aligned:
        if reaches == ():
            return sight
        inner, reaches = places_of(sight), None
    kept = len(inner) == len(outer) == len(sight.fields)
    if reaches is not None and kept and len(reaches) in {0, len(outer)}:
        if not reaches:
            # A length of 1 beside longer ones is stretched: every output sees the same.
            stretched = [a == 1 != b for a, b in zip(inner, outer, strict=True)]
            fields = (
                field_over_all(field, 1, length) if everywhere else field
                for field, length, everywhere in zip(
                    sight.fields, source, stretched, strict=True
                )
            )
            return Sight(tuple(fields), aligned=True)
        return Sight(tuple(map(field_after, sight.fields, reaches, outer)), aligned=True)
    return Sight(tuple(map(field_over_all, sight.fields, inner, source)), aligned=False)


def scatter(sight: Sight, lengths: Shape) -> Sight:
    """Return what numbers see that are put elsewhere, from what they see along the axes now.

    Args:
        sight: What they see.
        lengths: The lengths of the axes before.
    """
    if not sight.aligned:
        return sight
    fields = [
        field if field.sees_all else Field(None, spans_of(field, length), field.placed)
        for field, length in zip(sight.fields, lengths, strict=True)
    ]
    return Sight(tuple(fields), aligned=False)


def spans_of(field: Field, length: int | None) -> tuple[Span, ...]:
    """Return what each output along an axis sees; nothing where they are not countable."""
    countable = length is not None and length <= MOST and field.spans
    return tuple(map(field.at, range(length or 0))) if countable else ()


def places_of(sight: Sight) -> Shape:
    """Return how many outputs are told apart along each axis of the input."""
    return tuple(len(field.spans) or None for field in sight.fields)


def union_of_sights(views: list[Sight], lengths: Shape, source: Shape) -> Sight:
    """Return what an output sees by several branches."""
    if len(views) == 1:
        return views[0]
    aligned = all(view.aligned for view in views)
    if not aligned:
        # Which places meet is not known: together they see what all of them see.
        outputs = [lengths if view.aligned else places_of(view) for view in views]
        views = [
            Sight(tuple(map(field_over_all, view.fields, own, source)), aligned=False)
            for view, own in zip(views, outputs, strict=True)
        ]
    spread = lengths if len(lengths) == len(source) else (None,) * len(source)
    fields = zip(*(view.fields for view in views), strict=True)
    return Sight(tuple(map(union, fields, spread, source)), aligned=aligned)


def widest(seen: Mapping[int, Sight] | None) -> tuple[tuple[int | None, ...] | None, bool]:
    """Return the largest receptive field over a network's inputs, and whether it is all."""
    seeing = [sight for sight in (seen or {}).values() if sight.fields]
    if not seeing:
        return None, False
    sizes = [tuple(field.size for field in sight.fields) for sight in seeing]
    if len(sizes) == 1:
        return sizes[0], seeing[0].everything
    # Inputs of different ranks, a picture and a signal: the first speaks for all.
    alike = [size for size in sizes if len(size) == len(sizes[0])]
    largest = tuple(None if None in axis else max(axis) for axis in zip(*alike, strict=True))
    return largest, all(sight.everything for sight in seeing)
