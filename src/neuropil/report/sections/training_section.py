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


def training_section(subject: Subject) -> Section:
    """Return the learning curves."""
    history = subject.history
    names = curve_names(history) if len(history) else []
    return Section(
        "training",
        epochs=len(history),
        seconds=subject.seconds,
        curves=[curve(subject, name, k) for k, name in enumerate(names)],
    )


def curve(subject: Subject, name: str, place: int) -> Markup:
    """Return the learning curve of one metric."""
    history, ends = subject.history, []
    for column, word in ((name, "training"), (f"validation_{name}", "validation")):
        last = history[column][-1] if column in history.columns else None
        if last is not None and math.isfinite(last):
            ends.append(f"{number(last)} in {word}")
    ending = f", at the end {' and '.join(ends)}" if ends else ""
    alternative = f"The {curve_title(name)} over {number_of(len(history), 'epoch')}{ending}."
    return drawing(learning_curves(history, [name]), f"curve{place}", alternative)
