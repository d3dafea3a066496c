"""A picture of a network: its graph of layers as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from neuropil.analysis.calls import calls_of
from neuropil.analysis.diagram.svg_boxes import INPUT, Box, draw, family_of
from neuropil.analysis.summary.summary_rows import text_of
from neuropil.analysis.traced.module_boxes import boxes_of_module
from neuropil.analysis.traced.runs.meta_copy import is_foreign
from neuropil.core import format_shape
from neuropil.core.atomic import replacing
from neuropil.core.graph import OPEN

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
    """A picture of a network; a notebook shows it.

    Args:
        svg: The picture as the text of an SVG file.
        width: Its width in pixels.
        height: Its height in pixels.
    """

    svg: str
    width: int
    height: int

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture to a file, all of it or nothing.

        Args:
            path: Its name, which ends in ``.svg``.

        Raises:
            ValueError: When the name ends otherwise.
        """
        path = Path(path)
        if path.suffix.lower() != ".svg":
            raise ValueError(
                f"a diagram is SVG: name the file {path.stem}.svg, got {path.name!r}."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(self.svg.encode())

    @override
    def __str__(self) -> str:
        return self.svg

    @override
    def __repr__(self) -> str:
        return f"<Diagram of {self.width} × {self.height} pixels: a notebook shows it>"

    def _repr_svg_(self) -> str:
        return self.svg


def diagram(network: Composable | nn.Module, input_shape: Example | None = None) -> Diagram:
    """Draw a network as a graph of its layers, from its inputs at the top to its outputs.

    Each call of a layer is a box with its name, the layer as it is written and the shape of its
    output, coloured by family. Branches stand side by side; connections that skip layers run
    beside these. Pointing at a box shows its whole text.

    Of any other PyTorch module the parts are drawn that have no parts of their own, and what is
    done between them: sums, products, joined branches.

    Args:
        network: A network, a layer, or any PyTorch module.
        input_shape: Lengths for the free axes of the input, or the shape of what an open
            network will be joined to; one for each of several inputs. For a module, what it
            takes: a shape without the batch, or tensors.

    Raises:
        ShapeError: When `input_shape` does not fit the network, or a module fails on it.
        ValueError: When there are so many layers that nobody could read the picture.

    Reference:
        Rows and order after Sugiyama, Tagawa and Toda, "Methods for visual understanding of
        hierarchical system structures", 1981; places after Brandes and Köpf, 2001.

    Example:
        >>> from neuropil.layers import Input, Relu, Softmax
        >>> picture = diagram(Input(4) >> Relu(8) >> Softmax(3))
        >>> str(picture).count("<rect")  # the page, three boxes, and two keys to the colours
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
            f"a diagram of {len(boxes):,} layers could not be read; the most is "
            f"{MOST_BOXES:,}: draw a part, such as network.upto(…)."
        )
    return Diagram(*draw(boxes, inputs))


# The box before a network that is joined to nothing.
OPEN_END = Box("input", "not joined yet", "", "what the network will be joined to", INPUT)


def visible_calls(calls: Sequence[Call]) -> tuple[list[int], list[list[int]]]:
    """Return which calls get a box, and for each of these which boxes it takes from.

    An identity that leads from one layer to another is only a line.
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
    """Return what a call's box says."""
    shape = "" if call.shape is None else format_shape(call.shape)
    text = text_of(call.layer, {})
    hint = f"{call.name}: {text}" + f" gives {shape}" * bool(shape)
    return Box(call.name, text, shape, hint, family_of(call.layer))
