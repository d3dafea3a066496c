"""How the training went."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neuropil.plots.curves import curve_names, curve_title, learning_curves
from neuropil.report.html import Html, element
from neuropil.report.svg import drawing
from neuropil.report.wording import counted, duration, number
from neuropil.runs.classic_model import ClassicModel

if TYPE_CHECKING:
    from neuropil.report.subject import Subject

NOTE = (
    "Training figures are taken while the weights change, with dropout and augmentation on, so "
    "they may be worse than the validation's."
)


def training(subject: Subject) -> Html | None:
    """Return the learning curves; a classic network has none."""
    if isinstance(subject.network, ClassicModel):
        return None
    history = subject.history
    if not len(history):
        return element(
            "section",
            element("h2", "Training"),
            element("p", "No epoch was trained."),
            id="training",
        )
    epochs = counted(len(history), "epoch")
    took = f", {duration(subject.seconds)} in all" if subject.seconds else ""
    curves = [curve(subject, name, k) for k, name in enumerate(curve_names(history))]
    return element(
        "section",
        element("h2", "Training"),
        element("p", f"{epochs}{took}. {NOTE}", class_="note"),
        element("div", curves, class_="grid"),
        id="training",
    )


def curve(subject: Subject, name: str, place: int) -> Html:
    """Return one figure's curve."""
    ends = []
    for column, word in ((name, "training"), (f"validation_{name}", "validation")):
        values = subject.history.column(column) if column in subject.history.columns else []
        last = values[-1] if values else None
        if last is not None and math.isfinite(last):
            ends.append(f"{number(last)} in {word}")
    ending = f", at the end {' and '.join(ends)}" if ends else ""
    alternative = (
        f"The {curve_title(name)} over {counted(len(subject.history), 'epoch')}{ending}."
    )
    figure = learning_curves(subject.history, [name])
    return drawing(figure, f"curve{place}", alternative)
