"""The section on a network: expression, diagram, table of layers, first weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from torch import Tensor

from neuropil.analysis import diagram, summary
from neuropil.analysis.quantities import memory_size, short_count
from neuropil.core import format_shape
from neuropil.plots.filters import filter_weights, filter_words, filters, has_filters
from neuropil.plots.hinton import hinton
from neuropil.report.page import Section
from neuropil.report.svg import drawing
from neuropil.report.wording import NONE
from neuropil.runs.recipes.default_recipes import typical_shape
from neuropil.text import duration, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis import Row, Summary
    from neuropil.core import Network
    from neuropil.report.subject import Subject

# A larger Hinton diagram cannot be read.
MOST_INPUTS, MOST_UNITS = 60, 40


def network_section(subject: Subject, network: Network) -> Section:
    """Return the network as an expression, as a diagram and as a table."""
    shape = typical_shape(subject.splits)
    # A second input takes the mask.
    shapes = [shape, shape[1:]][: len(network.input_shapes)]
    found = summary(network, shapes)
    svg = diagram(network, shapes).svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1)
    return Section(
        "network",
        expression=expression(network),
        diagram=Markup(svg),
        layers=[layer_cells(row) for row in found.rows],
        fields=any(map(receptive_field, found.rows)),
        totals=totals(found),
        first=first_layer(subject, network),
    )


def training_words(subject: Subject, network: Network) -> str:
    """Return a sentence on the size of the network and the length of its training."""
    parameters = sum(parameter.numel() for parameter in network.parameters())
    took = f" in {duration(subject.seconds)}" if subject.seconds else ""
    epochs = number_of(len(subject.history), "epoch")
    return f"The network has {parameters:,} parameters and was trained for {epochs}{took}."


def expression(network: Network) -> str:
    """Return the expression of the network, on one line if it fits."""
    text = repr(network)
    return " ".join(text.strip("()").split()) if text.startswith("(") else text


def totals(found: Summary) -> str:
    """Return the parameters, memory and multiply–adds of the whole network, in words."""
    whole = found.totals
    cost = (
        f"{short_count(whole.multiply_adds)} multiply–adds per example"
        if whole.multiply_adds
        else ""
    )
    memory = f"{memory_size(whole.parameter_bytes)} of weights" if whole.parameter_bytes else ""
    return ", ".join(filter(None, (f"{whole.parameters or 0:,} parameters", memory, cost)))


def layer_cells(row: Row) -> dict[str, Any]:
    """Return the cells of a layer's row in the table."""
    shared = row.shared and row.parameters == 0
    return {
        "name": row.name,
        "layer": row.layer,
        "depth": row.depth,
        "output": NONE if row.output_shape is None else format_shape(row.output_shape),
        "parameters": "shared" if shared else count_text(row.parameters),
        "multiply_adds": count_text(row.multiply_adds),
        "field": receptive_field(row),
    }


def count_text(number: int | None) -> str:
    """Return a count as text: a dash if unknown, empty if 0."""
    return NONE if number is None else f"{number:,}" if number else ""


def receptive_field(row: Row) -> str:
    """Return the receptive field of an output of a layer, as text."""
    if row.sees_all:
        return "all"
    sizes = row.receptive_field or ()
    return " × ".join("all" if size is None else str(size) for size in sizes)


def first_layer(subject: Subject, network: Network) -> dict[str, Any] | None:
    """Return a drawing of the first filters, or of the first weights of a table network."""
    if any(map(has_filters, network.layers.values())):
        return first_filters(network)
    weights = first_weights(network)
    return None if weights is None else first_units(weights, subject.data.input_names)


def first_filters(network: Network) -> dict[str, Any]:
    """Return a drawing of the filters of the first convolution."""
    name, weight = filter_weights(network)
    figure = filters(network, name)
    # The caption has this text, in letters that do not shrink with the picture.
    figure.axes[0].set_title("", loc="left")
    words = f"{name}: {filter_words(weight)}"
    return {
        "kind": "filters",
        "drawing": drawing(figure, "filters", words),
        "words": words,
        "in_color": weight.shape[1] == 3,
    }


def first_units(weights: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """Return a Hinton diagram of the weights, inputs by units, of the strongest units."""
    units = weights.shape[1]
    strongest = weights.norm(dim=0).argsort(descending=True, stable=True)[:MOST_UNITS]
    picture = drawing(
        hinton(weights[:, strongest], names),
        "weights",
        "Hinton diagram of the first layer's weights.",
        least=16 * len(strongest),
    )
    return {"kind": "units", "drawing": picture, "units": units, "drawn": len(strongest)}


def first_weights(model: Network) -> Tensor | None:
    """Return the first weight matrix, inputs by units, if the inputs are few and have names."""
    shape = model.input_shapes[0]
    for layer in model.layers.values():
        weight = getattr(layer, "weight", None)
        if isinstance(weight, Tensor) and weight.ndim == 2 and len(shape) == 1:
            fits = weight.shape[1] == shape[0] and weight.shape[1] <= MOST_INPUTS
            return weight.detach().t() if fits else None
    return None
