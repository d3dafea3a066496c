"""Receptive fields of all layers of a network, propagated along its graph."""

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


class AxisFields(NamedTuple):
    """Receptive field of a call's outputs on one input of the network.

    Args:
        fields: One field for each axis of that input after its channels.
        aligned: Whether the output's axes are still those of the input. After Flatten and
            similar layers, each element keeps its field, but its position does not tell it.
    """

    fields: tuple[Field, ...]
    aligned: bool

    @property
    def everything(self) -> bool:
        """Whether each output sees the whole input."""
        return all(field.sees_all for field in self.fields)


def source_shapes(calls: Sequence[Call]) -> dict[int, Shape]:
    """Return the shapes of the network's inputs and of its open end, by position."""
    shapes: dict[int, Shape] = {}
    for place, call in enumerate(calls):
        if not call.inputs and call.shape is not None:
            shapes[place] = call.shape
        elif OPEN in call.inputs and call.input_shapes is not None:
            shapes[OPEN] = call.input_shapes[call.inputs.index(OPEN)]
    return shapes


def fields_of_calls(calls: Sequence[Call]) -> list[dict[int, AxisFields] | None]:
    """Return the field of each call on each input of the network; ``None`` where not known."""
    parts = parts_of(calls)
    seen = fields_of_parts(parts.calls)
    inputs = {end: place for place, end in enumerate(parts.ends)} | {OPEN: OPEN}
    return [
        view and {inputs[source]: axis_fields for source, axis_fields in view.items()}
        for view in (seen[end] for end in parts.ends)
    ]


def fields_of_parts(calls: Sequence[Call]) -> list[dict[int, AxisFields] | None]:
    """Return the fields of calls none of which is a block."""
    sources = source_shapes(calls)
    views = {
        place: {place: AxisFields((PIXEL,) * (len(shape) - 1), aligned=True)}
        for place, shape in sources.items()
    }
    seen: list[dict[int, AxisFields] | None] = []
    for place, call in enumerate(calls):
        if call.input_shapes is None or call.shape is None:
            seen.append(None)
        elif not call.inputs:
            seen.append(views[place])
        else:
            before = [views[OPEN] if i == OPEN else seen[i] or {} for i in call.inputs]
            seen.append(fields_of_call(call, before, sources))
    return seen


def fields_of_call(
    call: Call, before: list[dict[int, AxisFields]], sources: Mapping[int, Shape]
) -> dict[int, AxisFields]:
    """Return the fields of a call, from those of its inputs."""
    shapes = call.input_shapes or ()
    reaches = call.layer.reaches(*shapes)
    seen = len(shapes) - call.layer.inputs_for_lengths
    shapes, before = shapes[:seen], before[:seen]
    if reaches == () and [*map(len, shapes)] == [len(call.shape or ())]:
        return before[0]
    lengths = (call.shape or ())[1:]
    if isinstance(call.layer, Rearrangement):
        return {
            source: scatter(axis_fields, inner[1:])
            for inner in shapes
            for source, axis_fields in before[0].items()
        }
    result: dict[int, AxisFields] = {}
    for source in dict.fromkeys(source for axis_fields in before for source in axis_fields):
        views = [
            through_layer(axis_fields[source], reaches, shape[1:], lengths, sources[source][1:])
            for axis_fields, shape in zip(before, shapes, strict=True)
            if source in axis_fields
        ]
        result[source] = union_of_fields(views, lengths, sources[source][1:])
    return result


def through_layer(
    axis_fields: AxisFields,
    reaches: tuple[Reach, ...] | None,
    inner: Shape,
    outer: Shape,
    source: Shape,
) -> AxisFields:
    """Return the field of a layer's outputs on a source, through one of the layer's inputs.

    Args:
        axis_fields: Field of that input.
        reaches: Windows of the layer on its inputs.
        inner: Lengths of the input's axes.
        outer: Lengths of the output's axes.
        source: Lengths of the source's axes.
    """
    if not axis_fields.aligned:
        if reaches == ():
            return axis_fields
        inner, reaches = places_of(axis_fields), None
    kept = len(inner) == len(outer) == len(axis_fields.fields)
    if reaches is not None and kept and len(reaches) in {0, len(outer)}:
        if not reaches:
            # A length of 1 that is broadcast: every output sees the same.
            axes = zip(axis_fields.fields, source, inner, outer, strict=True)
            fields = (
                field_over_all(field, 1, length) if a == 1 != b else field
                for field, length, a, b in axes
            )
            return AxisFields(tuple(fields), aligned=True)
        return AxisFields(
            tuple(map(field_after, axis_fields.fields, reaches, outer)), aligned=True
        )
    return AxisFields(
        tuple(map(field_over_all, axis_fields.fields, inner, source)), aligned=False
    )


def scatter(axis_fields: AxisFields, lengths: Shape) -> AxisFields:
    """Return the fields of elements that are rearranged, so that positions no longer tell them.

    Args:
        axis_fields: Fields before the rearrangement.
        lengths: Lengths of the axes before it.
    """
    if not axis_fields.aligned:
        return axis_fields
    fields = [
        field if field.sees_all else Field(None, spans_of(field, length), field.placed)
        for field, length in zip(axis_fields.fields, lengths, strict=True)
    ]
    return AxisFields(tuple(fields), aligned=False)


def spans_of(field: Field, length: int | None) -> tuple[Span, ...]:
    """Return the span of each output along an axis; empty where they cannot be listed."""
    countable = length is not None and length <= MOST and field.spans
    return tuple(map(field.at, range(length or 0))) if countable else ()


def places_of(axis_fields: AxisFields) -> Shape:
    """Return the number of outputs stored separately along each axis of the input."""
    return tuple(len(field.spans) or None for field in axis_fields.fields)


def union_of_fields(views: list[AxisFields], lengths: Shape, source: Shape) -> AxisFields:
    """Return the field of an output that depends on several branches."""
    if len(views) == 1:
        return views[0]
    aligned = all(view.aligned for view in views)
    if not aligned:
        # It is not known which positions meet, so the union is taken over all of them.
        outputs = [lengths if view.aligned else places_of(view) for view in views]
        views = [
            AxisFields(tuple(map(field_over_all, view.fields, own, source)), aligned=False)
            for view, own in zip(views, outputs, strict=True)
        ]
    spread = lengths if len(lengths) == len(source) else (None,) * len(source)
    fields = zip(*(view.fields for view in views), strict=True)
    return AxisFields(tuple(map(union, fields, spread, source)), aligned=aligned)


def widest(seen: Mapping[int, AxisFields] | None) -> tuple[tuple[int | None, ...] | None, bool]:
    """Return the size of the largest field over a network's inputs, and whether it is all."""
    seeing = [axis_fields for axis_fields in (seen or {}).values() if axis_fields.fields]
    if not seeing:
        return None, False
    sizes = [tuple(field.size for field in axis_fields.fields) for axis_fields in seeing]
    if len(sizes) == 1:
        return sizes[0], seeing[0].everything
    # Where inputs differ in rank, such as an image and a signal, those like the first count.
    alike = [size for size in sizes if len(size) == len(sizes[0])]
    largest = tuple(None if None in axis else max(axis) for axis in zip(*alike, strict=True))
    return largest, all(axis_fields.everything for axis_fields in seeing)
