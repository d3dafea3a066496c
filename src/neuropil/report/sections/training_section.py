"""The section on the training: learning curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neuropil.plots.curves import curve_names, curve_title, learning_curves
from neuropil.report.page import Section
from neuropil.report.svg import drawing
from neuropil.report.wording import number
from neuropil.text import number_of

if TYPE_CHECKING:
    from markupsafe import Markup

    from neuropil.report.subject import Subject
    from neuropil.training import History


def training_section(subject: Subject) -> Section:
    """Return the learning curves."""
    history = subject.history
    names = curve_names(history) if len(history) else []
    drawn = names if len(history) > 1 else []  # a single point is not a curve
    return Section(
        "training",
        epochs=len(history),
        seconds=subject.seconds,
        ends={curve_title(name): ending(history, name) for name in names if name != "lr"},
        curves=[curve(subject, name, k) for k, name in enumerate(drawn)],
    )


def curve(subject: Subject, name: str, place: int) -> Markup:
    """Return the learning curve of one metric."""
    history = subject.history
    end = ending(history, name)
    alternative = f"The {curve_title(name)} over {number_of(len(history), 'epoch')}"
    alternative += f", at the end {end}." if end else "."
    return drawing(learning_curves(history, [name]), f"curve{place}", alternative)


def ending(history: History, name: str) -> str:
    """Return the last values of one metric in words, such as "0.97 in training"."""
    ends = []
    for column, word in ((name, "training"), (f"validation_{name}", "validation")):
        last = history[column][-1] if column in history.columns else None
        if last is not None and math.isfinite(last):
            ends.append(f"{number(last)} in {word}")
    return " and ".join(ends)
