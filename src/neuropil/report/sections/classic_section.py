"""What a classic network is: how it is written, what it has learnt, how it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neuropil.plots.map_pictures import hit_map, u_matrix
from neuropil.report.example_pictures import can_be_shown, gallery, picture
from neuropil.report.html import Content, Html, element, table
from neuropil.report.svg import drawing
from neuropil.report.wording import counted, number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.report.subject import Subject
    from neuropil.runs.classic_model import ClassicModel

# More prototypes than this are not told apart by looking.
MOST = 100
# Numbers that a cell of the table can hold.
FEW = 4
# Fitted rows that are examples themselves, in the scale of the network's input.
EXAMPLES = ("prototypes_", "weights_")
# Fitted rows that are as wide as an example, and what they are called.
ROWS = {
    "prototypes_": "prototypes",
    "weights_": "units' weights",
    "components_": "units' weights",
    "patterns_": "patterns",
}
ANSWERS = {
    "classifier": "It names a class for each example.",
    "regressor": "It gives a value for each example.",
    "groups": "It puts examples into groups; a group answers with its training examples' "
    "targets, and one that has none with those of all.",
    "features": "It transforms examples; a linear model, fitted to what it makes of the "
    "training examples, gives the answer.",
}
# What a map or a gas says of how well it fits; each takes the examples.
FITS = ("quantization_error", "topographic_error")


def classic(subject: Subject, model: ClassicModel) -> Html:
    """Return the network as it is written, with what it has learnt."""
    return element(
        "section",
        element("h2", "The network"),
        element("pre", element("code", repr(model)), class_="wrapped"),
        element("p", ANSWERS[model.role]),
        table(["", "value"], facts(subject, model), class_="numbers"),
        map_pictures(subject, model),
        learnt_pictures(subject, model),
        id="network",
    )


def facts(subject: Subject, model: ClassicModel) -> list[list[Content]]:
    """Return what was learnt, a fact a row."""
    fitted: dict[str, Any] = vars(model.estimator)
    rows: list[list[Content]] = []
    for name, value in fitted.items():
        words = value_words(value)
        if name.endswith("_") and not name.startswith("_") and words is not None:
            rows.append([element("code", name), words])
    for name in FITS:
        measure = getattr(model.estimator, name, None)
        if measure is not None:
            value = float(measure(model.rows(subject.evidence.data.inputs)))
            rows.append([name.replace("_", " "), number(value)])
    return rows


def value_words(value: Any) -> str | None:
    """Return a fitted value for a cell of the table; None for what has no place there."""
    match value:
        case np.ndarray():
            words = array_words(value)
        case bool():
            words = "yes" if value else "no"
        case int():
            words = f"{value:,}"
        case float():
            words = number(value)
        case _:
            words = None
    return words


def array_words(values: NDArray[Any]) -> str:
    """Return an array for a cell of the table: its numbers where they are few, else its shape.

    Example:
        >>> array_words(np.array([0.5, 2.0])), array_words(np.array([3.0]))
        ('0.500, 2.00', '3.00')
        >>> array_words(np.arange(10) / 10)
        '10 numbers from 0 to 0.900'
        >>> array_words(np.eye(3)), array_words(np.array(["cat", "dog"]))
        ('3 × 3 numbers from 0 to 1.00', 'cat, dog')
    """
    whole = values.dtype.kind in "iub"
    write = str if values.dtype.kind not in "fiub" else whole_number if whole else number
    if values.size <= FEW:
        return ", ".join(write(value) for value in values.ravel().tolist())
    size = " × ".join(f"{length:,}" for length in values.shape)
    if values.dtype.kind not in "fiub":
        return f"{size} values"
    low, high = write(values.min().item()), write(values.max().item())
    return f"{size} numbers from {low} to {high}"


def whole_number(value: int) -> str:
    """Return an integer with its thousands apart."""
    return f"{int(value):,}".replace("-", "−")


def map_pictures(subject: Subject, model: ClassicModel) -> Content:
    """Return a self-organising map as it lies: its borders, and who lives where."""
    som = model.estimator
    if type(som).__name__ != "SOFM" or len(som.grid_.sides) > 2:
        return None
    evidence = subject.evidence
    names = None
    if evidence.classes is not None:
        names = [evidence.classes[number] for number in evidence.targets]
    held = hit_map(som, model.rows(evidence.data.inputs), names)
    return element(
        "div",
        drawing(
            u_matrix(som),
            "borders",
            "How far each unit is from its neighbours.",
            caption="Light units are near their neighbours; dark ones are borders.",
        ),
        drawing(
            held,
            "hits",
            "For how many examples each unit is the best.",
            caption="The filling is a unit's share of these examples, its name the "
            "commonest class among them.",
        ),
        class_="pair",
    )


def learnt_pictures(subject: Subject, model: ClassicModel) -> Content:
    """Return what the network has learnt as pictures, where examples are pictures."""
    shape = subject.splits.input_shape
    fitted: dict[str, Any] = vars(model.estimator)
    size = int(np.prod([length or 0 for length in shape]))
    for name, word in ROWS.items():
        rows = fitted.get(name)
        wide = isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.shape[1] == size
        if wide and can_be_shown(tuple(length or 0 for length in shape)):
            if name in EXAMPLES:
                rows = np.asarray(rows, float) * model.scale + model.center
            return cards_of(word, np.asarray(rows, float), shape)
    return None


def cards_of(word: str, rows: NDArray[Any], shape: Any) -> Content:
    """Return rows as pictures with a heading."""
    shown = torch.from_numpy(rows[:MOST]).reshape(-1, *shape)
    # Weights may be negative: the scale is their own.
    limits = float(shown.min()), float(shown.max())
    cards = [
        element("li", picture(each, limits, f"{word} {place + 1}"))
        for place, each in enumerate(shown)
    ]
    more = f", the first {MOST} of {len(rows):,}" if len(rows) > MOST else ""
    return [
        element("h3", f"Its {word}"),
        element("p", f"{counted(len(shown), 'picture')}{more}.", class_="note"),
        gallery(cards, shape),
    ]
