"""What each layer of a network sees of the network's inputs, worked out along the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neuropil.analysis.calls import parts_of
from neuropil.analysis.receptive_field.axis_field import (
    PIXEL,
    Field,
    behind,
    behind_everything,
    union,
)
from neuropil.core.graph import OPEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neuropil.analysis.calls import Call
    from neuropil.core import Shape
    from neuropil.core.window import Reach


class Sight(NamedTuple):
    """What a call's outputs see of one input of the network.

    Args:
        fields: One for each axis of that input after its channels.
        aligned: Whether the output's axes are still those of the input.
    """

    fields: tuple[Field, ...]
    aligned: bool

    @property
    def everything(self) -> bool:
        """Whether each output sees all there is."""
        return not self.aligned or all(field.sees_all for field in self.fields)


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
    if len(before) == 1:
        return {
            source: through(sight, reaches, inner[1:], lengths, sources[source][1:])
            for inner in shapes
            for source, sight in before[0].items()
        }
    result: dict[int, Sight] = {}
    for source in dict.fromkeys(source for sight in before for source in sight):
        views = [
            through(sight[source], reaches, shape[1:], lengths, sources[source][1:])
            for sight, shape in zip(before, shapes, strict=True)
            if source in sight
        ]
        result[source] = together(views, lengths, sources[source][1:])
    return result


def through(
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
        return sight
    kept = len(inner) == len(outer) == len(sight.fields)
    if reaches is not None and kept and len(reaches) in {0, len(outer)}:
        if not reaches:
            # A length of 1 beside longer ones is stretched: every output sees the same.
            stretched = [a == 1 != b for a, b in zip(inner, outer, strict=True)]
            fields = (
                behind_everything(field, 1, length) if everywhere else field
                for field, length, everywhere in zip(
                    sight.fields, source, stretched, strict=True
                )
            )
            return Sight(tuple(fields), aligned=True)
        return Sight(tuple(map(behind, sight.fields, reaches, outer)), aligned=True)
    return Sight(tuple(map(behind_everything, sight.fields, inner, source)), aligned=False)


def together(views: list[Sight], lengths: Shape, source: Shape) -> Sight:
    """Return what an output sees by several branches."""
    if len(views) == 1:
        return views[0]
    aligned = all(view.aligned for view in views)
    spread = lengths if len(lengths) == len(source) else (None,) * len(source)
    fields = zip(*(view.fields for view in views), strict=True)
    return Sight(tuple(map(union, fields, spread, source)), aligned=aligned)
