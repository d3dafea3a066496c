"""The section on a classic network: its expression, fitted values and pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neuropil.datasets.loading import in_memory
from neuropil.plots.map_pictures import hit_map, u_matrix
from neuropil.report.example_pictures import can_be_shown, picture
from neuropil.report.page import Section
from neuropil.report.svg import drawing
from neuropil.report.wording import number, thousands
from neuropil.text import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup
    from numpy.typing import NDArray

    from neuropil.report.subject import Subject
    from neuropil.runs.classic_model import ClassicModel

# More prototypes than this are too many to look at.
MOST = 100
# The most pictures in a row that are still large enough.
MOST_ABREAST = 20
# The most numbers that a cell of the table can hold.
FEW = 4
# Fitted attributes whose rows are examples, in the scale of the network's input.
EXAMPLES = ("prototypes_", "weights_")
# Fitted attributes whose rows are as wide as an example, and the name of a row.
ROWS = {
    "prototypes_": "prototypes",
    "weights_": "units' weights",
    "components_": "units' weights",
    "patterns_": "patterns",
}
ANSWERS = {
    "classifier": "It predicts a class for each example.",
    "regressor": "It predicts a value for each example.",
    "groups": "It assigns each example to a group. The prediction is computed from the targets "
    "of the training examples in that group, or of all training examples if it has none.",
    "features": "It transforms each example into features. A linear model, fitted to the "
    "features of the training examples, makes the prediction.",
}
# Methods of a map or a gas that measure how well it fits the data.
FIT_MEASURES = ("quantization_error", "topographic_error")


def classic_section(subject: Subject, model: ClassicModel) -> Section:
    """Return the network's expression, its fitted values and pictures of them."""
    return Section(
        "classic",
        expression=repr(model),
        answers=ANSWERS[model.role],
        fitted=fitted_values(model),
        fits=fit_measures(subject, model),
        maps=map_drawings(subject, model),
        learnt=learnt_pictures(subject, model),
    )


def fitting_words(subject: Subject, model: ClassicModel) -> str:
    """Return a sentence on the time that fitting took."""
    return f"{type(model.estimator).__name__} was fitted in {duration(subject.seconds)}."


def fitted_values(model: ClassicModel) -> dict[str, str]:
    """Return the fitted attributes as text, by name."""
    words = {name: value_words(value) for name, value in vars(model.estimator).items()}
    return {
        name: text
        for name, text in words.items()
        if name.endswith("_") and not name.startswith("_") and text is not None
    }


def fit_measures(subject: Subject, model: ClassicModel) -> dict[str, float]:
    """Return how well a map or gas fits the examples, by measure."""
    rows = model.rows(in_memory(subject.evidence.data).inputs)
    measures = {name: getattr(model.estimator, name, None) for name in FIT_MEASURES}
    return {name: float(fit(rows)) for name, fit in measures.items() if fit is not None}


def value_words(value: Any) -> str | None:
    """Return a fitted value as text for the table; None if it cannot be shown there."""
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
    """Return an array as text for the table: its numbers if they are few, else its shape.

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
    """Return the U-matrix and the hit map of a self-organising map of one or two axes."""
    som: Any = model.estimator
    if not hasattr(som, "grid_") or len(som.grid_.sides) > 2:
        return None
    evidence = subject.evidence
    hits = hit_map(som, model.rows(in_memory(evidence.data).inputs), evidence.labels)
    return {
        "borders": drawing(
            u_matrix(som), "borders", "The distance of each unit from its neighbours."
        ),
        "hits": drawing(
            hits, "hits", "The number of examples for which each unit is the best match."
        ),
    }


def learnt_pictures(subject: Subject, model: ClassicModel) -> dict[str, Any] | None:
    """Return the fitted prototypes or weights as pictures, if the examples are pictures."""
    shape = tuple(length or 0 for length in subject.splits.input_shape)
    fitted: dict[str, Any] = vars(model.estimator)
    for name, word in ROWS.items():
        rows = np.asarray(fitted.get(name))
        wide = rows.ndim == 2 and rows.shape[1] == math.prod(shape)
        if wide and can_be_shown(shape):
            if name in EXAMPLES:
                rows = rows * model.scale + model.center
            shown = torch.from_numpy(rows[:MOST].astype(float)).reshape(-1, *shape)
            # Weights may be negative, so they have a scale of their own.
            limits = float(shown.min()), float(shown.max())
            return {
                "name": word,
                "count": len(rows),
                "columns": map_columns(fitted),
                "pictures": [picture(each, limits) for each in shown],
            }
    return None


def map_columns(fitted: Mapping[str, Any]) -> int | None:
    """Return the number of units in a row of a two-dimensional map, for laying out pictures."""
    sides = fitted["grid_"].sides if "grid_" in fitted else ()
    return sides[1] if len(sides) == 2 and sides[1] <= MOST_ABREAST else None
