"""What the network is: its expression, diagram and table, and what its first layer sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from neuropil.analysis import diagram, summary
from neuropil.analysis.quantities import memory_size, short_count
from neuropil.core import format_shape
from neuropil.plots.filters import filter_weights, filter_words, filters, has_filters
from neuropil.plots.hinton import hinton
from neuropil.report.html import Content, Html, element, table
from neuropil.report.original_rows import input_names
from neuropil.report.sections.classic_section import classic
from neuropil.report.svg import drawing
from neuropil.report.wording import NONE
from neuropil.runs.classic_model import ClassicModel

if TYPE_CHECKING:
    from neuropil.analysis import Row, Summary
    from neuropil.core import Network
    from neuropil.report.subject import Subject

# A Hinton diagram of more rows or columns than this is a carpet.
MOST_INPUTS, MOST_UNITS = 60, 40


def network(subject: Subject) -> Html:
    """Return the network as an expression, as a diagram and as a table."""
    model = subject.network
    if isinstance(model, ClassicModel):
        return classic(subject, model)
    return element(
        "section",
        element("h2", "The network"),
        element("pre", element("code", expression(model)), class_="wrapped"),
        element("div", picture(subject, model), layers(subject, model), class_="pair layered"),
        first_layer(subject, model),
        id="network",
    )


def expression(network: Network) -> str:
    """Return the network as it is written, on as few lines as it takes."""
    text = repr(network)
    return " ".join(text.strip("()").split()) if text.startswith("(") else text


def picture(subject: Subject, model: Network) -> Html:
    """Return the diagram, in a frame that scrolls where it is long."""
    svg = diagram(model, subject.splits.input_shape).svg.replace(
        ' xmlns="http://www.w3.org/2000/svg"', "", 1
    )
    return element("div", Html(svg), class_="diagram", tabindex="0", role="group")


def layers(subject: Subject, model: Network) -> Html:
    """Return the table of layers with what they add up to."""
    found = summary(model, subject.splits.input_shape)
    rows = [row_cells(row) for row in found.rows]
    heads = ["layer", "output", "parameters", "multiply–adds", "receptive field"]
    if not any(row[-1] for row in rows):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    return element(
        "div",
        element("div", table(heads, rows, class_="numbers layers"), class_="listed"),
        element("p", totals(found), class_="note"),
    )


def totals(found: Summary) -> str:
    """Return what the whole network holds and costs."""
    whole = found.totals
    cost = f"{short_count(whole.multiply_adds)} multiply–adds" if whole.multiply_adds else ""
    memory = f"{memory_size(whole.parameter_bytes)} of weights" if whole.parameter_bytes else ""
    said = ", ".join(filter(None, (f"{whole.parameters or 0:,} parameters", memory, cost)))
    seen = (
        " A layer's receptive field is how much of the input one of its outputs sees."
        if any(map(field, found.rows))
        else ""
    )
    return f"In all {said} for one example.{seen}"


def row_cells(row: Row) -> list[Content]:
    """Return a layer's line of the table."""
    inset = f"margin-left:{row.depth}rem" if row.depth else None
    shared = row.shared and row.parameters == 0
    return [
        [element("span", row.name, style=inset), element("code", row.layer, style=inset)],
        NONE if row.output_shape is None else format_shape(row.output_shape),
        "shared" if shared else count(row.parameters),
        count(row.multiply_adds),
        field(row),
    ]


def count(number: int | None) -> str:
    """Return a count, nothing for none."""
    return NONE if number is None else f"{number:,}" if number else ""


def field(row: Row) -> str:
    """Return what an output sees."""
    if row.sees_all:
        return "all"
    sizes = row.receptive_field or ()
    return " × ".join("all" if size is None else str(size) for size in sizes)


def first_layer(subject: Subject, model: Network) -> list[Html] | None:
    """Return the first filters, or the first weights of a table's network, as a picture."""
    if any(map(has_filters, model.layers.values())):
        return [
            element("h3", "What the first filters look for"),
            first_filters(model),
        ]
    weights = first_weights(model)
    if weights is None:
        return None
    picture = first_units(weights, input_names(subject.splits))
    return [element("h3", "What the first layer looks at"), picture]


def first_filters(network: Network) -> Html:
    """Return the filters of the first convolution."""
    name, weight = filter_weights(network)
    figure = filters(network, name)
    # The caption says it, in letters that do not shrink with the picture.
    figure.axes[0].set_title("", loc="left")
    colors = (
        "Each shows the colours that it answers to; mid-grey is none."
        if weight.shape[1] == 3
        else "Light weights add, dark ones subtract; mid-grey is zero."
    )
    what = f"{name}: {filter_words(weight)}"
    return drawing(
        figure, "filters", what, caption=f"{what}, each scaled by its largest weight. {colors}"
    )


def first_units(weights: Tensor, names: list[str]) -> Html:
    """Return weights, inputs by units, as squares; of many units the strongest."""
    units = weights.shape[1]
    strongest = weights.norm(dim=0).argsort(descending=True, stable=True)[:MOST_UNITS]
    which = f"the {MOST_UNITS} strongest of {units}" if units > MOST_UNITS else "each of the"
    return drawing(
        hinton(weights[:, strongest], names),
        "weights",
        "Hinton diagram of the first layer's weights.",
        caption=f"A row for each input, a column for {which} units, the strongest first. "
        "The area of a square is the size of the weight; light ones are positive, dark ones "
        "negative. Inputs are scaled alike, so those with small squares matter little.",
        least=16 * len(strongest),
    )


def first_weights(model: Network) -> Tensor | None:
    """Return the first weights, inputs by units, where the inputs are few and have names."""
    shape = model.input_shapes[0]
    for layer in model.layers.values():
        weight = getattr(layer, "weight", None)
        if isinstance(weight, Tensor) and weight.ndim == 2 and len(shape) == 1:
            fits = weight.shape[1] == shape[0] and weight.shape[1] <= MOST_INPUTS
            return weight.detach().t() if fits else None
    return None
