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
    from collections.abc import Iterator

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
        decisions=list(decisions(subject)),
        ends={curve_title(name): ending(history, name) for name in names if name != "lr"},
        curves=[curve(subject, name, k) for k, name in enumerate(drawn)],
    )


def decisions(subject: Subject) -> Iterator[str]:
    """Yield how the recipe was chosen, an early end, and the epoch of the weights."""
    settings, history = subject.settings, subject.history
    if settings.get("choice"):
        yield f"Recipe: {settings['choice']}."
    if len(history) < (settings.get("epochs") or 0):
        yield f"The training ended after {len(history)} of {settings['epochs']} epochs."
    if settings.get("keep_best") and "validation_loss" in history.columns:
        losses = history["validation_loss"]
        best = min(range(len(losses)), key=losses.__getitem__)
        yield f"The weights are those of epoch {best + 1}, with the lowest validation loss."


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
