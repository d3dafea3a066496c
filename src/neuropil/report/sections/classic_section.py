"""The section on a classic network: its expression, fitted values and pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neuropil.plots.map_pictures import hit_map, u_matrix
from neuropil.report.example_pictures import can_be_shown, picture
from neuropil.report.page import Section
from neuropil.report.svg import drawing
from neuropil.report.wording import duration, number, thousands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup
    from numpy.typing import NDArray

    from neuropil.report.subject import Subject
    from neuropil.runs.classic_model import ClassicModel

# More prototypes than this are not told apart by looking.
MOST = 100
# Pictures side by side that can still be made out.
MOST_ABREAST = 20
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
# Methods of a map or a gas that measure how well it fits examples.
FITS = ("quantization_error", "topographic_error")


def classic_section(subject: Subject, model: ClassicModel) -> Section:
    """Return the network as it is written, with what it has learnt."""
    return Section(
        "classic",
        {
            "expression": repr(model),
            "answers": ANSWERS[model.role],
            "fitted": fitted_values(model),
            "fits": fits(subject, model),
            "maps": map_drawings(subject, model),
            "learnt": learnt_pictures(subject, model),
        },
    )


def fitting_words(subject: Subject, model: ClassicModel) -> str:
    """Return a sentence on how long the network was fitted."""
    return f"{type(model.estimator).__name__} was fitted in {duration(subject.seconds)}."


def fitted_values(model: ClassicModel) -> dict[str, str]:
    """Return the fitted values, by the names of their attributes."""
    words = {name: value_words(value) for name, value in vars(model.estimator).items()}
    return {
        name: text
        for name, text in words.items()
        if name.endswith("_") and not name.startswith("_") and text is not None
    }


def fits(subject: Subject, model: ClassicModel) -> dict[str, float]:
    """Return how well it fits the examples, where it measures that."""
    rows = model.rows(subject.evidence.data.inputs)
    measures = {name: getattr(model.estimator, name, None) for name in FITS}
    return {name: float(fit(rows)) for name, fit in measures.items() if fit is not None}


def value_words(value: Any) -> str | None:
    """Return a fitted value for a cell of the table; None for what has no place there."""
    match value:
        case np.ndarray():
            words = array_words(value)
        case bool():
            words = "yes" if value else "no"
        case int():
            words = thousands(value)
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
    write = str if values.dtype.kind not in "fiub" else thousands if whole else number
    if values.size <= FEW:
        return ", ".join(write(value) for value in values.ravel().tolist())
    size = " × ".join(f"{length:,}" for length in values.shape)
    if values.dtype.kind not in "fiub":
        return f"{size} values"
    low, high = write(values.min().item()), write(values.max().item())
    return f"{size} numbers from {low} to {high}"


def map_drawings(subject: Subject, model: ClassicModel) -> dict[str, Markup] | None:
    """Return a self-organising map as it lies: its borders, and who lives where."""
    som: Any = model.estimator
    if not hasattr(som, "grid_") or len(som.grid_.sides) > 2:
        return None
    evidence = subject.evidence
    hits = hit_map(som, model.rows(evidence.data.inputs), evidence.labels)
    return {
        "borders": drawing(
            u_matrix(som), "borders", "How far each unit is from its neighbours."
        ),
        "hits": drawing(hits, "hits", "For how many examples each unit is the best."),
    }


def learnt_pictures(subject: Subject, model: ClassicModel) -> dict[str, Any] | None:
    """Return the fitted prototypes or weights as pictures, where examples are pictures."""
    shape = tuple(length or 0 for length in subject.splits.input_shape)
    fitted: dict[str, Any] = vars(model.estimator)
    for name, word in ROWS.items():
        rows = np.asarray(fitted.get(name))
        wide = rows.ndim == 2 and rows.shape[1] == math.prod(shape)
        if wide and can_be_shown(shape):
            if name in EXAMPLES:
                rows = rows * model.scale + model.center
            shown = torch.from_numpy(rows[:MOST].astype(float)).reshape(-1, *shape)
            # Weights may be negative: the scale is their own.
            limits = float(shown.min()), float(shown.max())
            return {
                "name": word,
                "count": len(rows),
                "columns": map_columns(fitted),
                "pictures": [picture(each, limits) for each in shown],
            }
    return None


def map_columns(fitted: Mapping[str, Any]) -> int | None:
    """Return the number of units in a row of a map, whose pictures lie as its units do."""
    sides = fitted["grid_"].sides if "grid_" in fitted else ()
    return sides[1] if len(sides) == 2 and sides[1] <= MOST_ABREAST else None
