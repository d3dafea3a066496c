"""A diagram of a network: its graph of layers as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup
from typing_extensions import override

from neuropil.analysis.calls import calls_of
from neuropil.analysis.diagram.svg_boxes import INPUT, Box, draw, family_of, theme
from neuropil.analysis.summary.summary_rows import text_of
from neuropil.analysis.traced.module_boxes import boxes_of_module
from neuropil.analysis.traced.runs.meta_copy import is_foreign
from neuropil.core import format_shape
from neuropil.core.atomic import replacing
from neuropil.core.graph import OPEN
from neuropil.notebook_html import notebook_page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from torch import nn

    from neuropil.analysis.calls import Call
    from neuropil.analysis.traced.runs.example_inputs import Example
    from neuropil.core.layer import Composable


MOST_BOXES = 5000


@dataclass(frozen=True, slots=True)
class Diagram:
    """Diagram of a network, which a notebook displays.

    Args:
        svg: The diagram as the text of an SVG file.
        width: Width in pixels.
        height: Height in pixels.
    """

    svg: str
    width: int
    height: int

    def save(self, path: str | PathLike[str]) -> None:
        """Write the diagram to a file; it is written completely or not at all.

        Args:
            path: Path of the file, which ends in ``.svg``.

        Raises:
            ValueError: When the path has another suffix.
        """
        path = Path(path)
        if path.suffix.lower() != ".svg":
            raise ValueError(
                f"a diagram is saved as SVG: name the file {path.stem}.svg, got {path.name!r}."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(self.svg.encode())

    @override
    def __str__(self) -> str:
        return self.svg

    @override
    def __repr__(self) -> str:
        return f"<Diagram of {self.width} × {self.height} pixels, shown in a notebook>"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return notebook_page(
            Markup("<style>{}</style>{}").format(Markup(theme()), Markup(self.svg))
        )


def diagram(network: Composable | nn.Module, input_shape: Example | None = None) -> Diagram:
    """Draw a network as a graph of its layers, from the inputs at the top to the outputs.

    Each call of a layer is a box with its name, the layer as source code and the shape of its
    output, coloured by family. Branches are drawn side by side; connections that skip layers
    run beside the layers. Hovering over a box shows its whole text.

    For any other PyTorch module, the boxes are the parts that have no parts themselves, and the
    operations between them, such as sums, products and concatenation.

    Args:
        network: A network, a layer, or any PyTorch module.
        input_shape: Lengths for the free axes, or the input shape of an open network; a
            sequence of shapes for several inputs. For a module, its input: a shape without
            the batch, or tensors.

    Raises:
        ShapeError: When `input_shape` does not fit the network, or a module fails on it.
        ValueError: When there are too many layers for a readable diagram.

    Reference:
        Rows and order after Sugiyama, Tagawa and Toda, "Methods for visual understanding of
        hierarchical system structures", 1981; coordinates after Brandes and Köpf, 2001.

    Example:
        >>> from neuropil.layers import Input, Relu, Softmax
        >>> image = diagram(Input(4) >> Relu(8) >> Softmax(3))
        >>> str(image).count("<rect")  # the page, three boxes, and two keys to the colours
        6
    """
    if is_foreign(network):
        boxes, inputs = boxes_of_module(network, input_shape)
    else:
        calls = calls_of(network, input_shape)
        places, inputs = visible_calls(calls)
        boxes = [OPEN_END if place == OPEN else box_of(calls[place]) for place in places]
    if len(boxes) > MOST_BOXES:
        raise ValueError(
            f"a diagram of {len(boxes):,} layers would be unreadable; the maximum is "
            f"{MOST_BOXES:,}: draw a part of the network, such as network.upto(…)."
        )
    return Diagram(*draw(boxes, inputs))


# The box before a network without an Input.
OPEN_END = Box("input", "not joined yet", "", "what the network will be joined to", INPUT)


def visible_calls(calls: Sequence[Call]) -> tuple[list[int], list[list[int]]]:
    """Return the calls that get a box, and for each the boxes whose outputs it takes.

    An identity between two layers is drawn as a line.
    """
    taken = {source for call in calls for source in call.inputs}
    places = [OPEN] if OPEN in taken else []
    leads_from: dict[int, int] = {OPEN: OPEN}
    for place, call in enumerate(calls):
        is_line = type(call.layer).__name__ == "Identity" and place in taken
        leads_from[place] = leads_from[call.inputs[0]] if is_line else place
        if not is_line:
            places.append(place)
    number = {place: index for index, place in enumerate(places)}
    inputs = [
        [] if place == OPEN else [number[leads_from[i]] for i in calls[place].inputs]
        for place in places
    ]
    return places, inputs


def box_of(call: Call) -> Box:
    """Return the box of a call."""
    shape = "" if call.shape is None else format_shape(call.shape)
    text = text_of(call.layer, {})
    hint = f"{call.name}: {text}" + f" gives {shape}" * bool(shape)
    return Box(call.name, text, shape, hint, family_of(call.layer))
