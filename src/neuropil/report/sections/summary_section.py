"""The result in plain words: one sentence, then remarks on it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neuropil.report.evidence import WORDS
from neuropil.report.page import Section
from neuropil.report.wording import figure_text
from neuropil.text import number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neuropil.report.evidence import Figure
    from neuropil.report.sections.base import Headline, TaskPages
    from neuropil.report.subject import Subject

FEW = 100
# A loss that falls by less than this share over the last tenth of the training has converged.
STILL_FALLING = 0.02
RISEN = 1.2


def summary_section(subject: Subject, task: TaskPages, effort: str) -> Section:
    """Return the section that gives the result in plain words.

    Args:
        subject: The subject of the report.
        task: The pages of its task.
        effort: A sentence on the size and the training time of the network.
    """
    headline = task.headline(subject)
    remarks = [*cautions(subject), *task.remarks(subject)]
    if not (task.is_faultless and task.is_faultless(subject.evidence)):
        remarks += falling_loss_remark(subject)
    remarks += [*rising_loss_remark(subject), effort]
    return Section("summary", headline=headline, strip=strip(headline), remarks=remarks)


def strip(headline: Headline) -> dict[str, float]:
    """Return the positions of guessing, the figure and its interval on a scale, in per cent.

    It ends at 1, the best value, and for errors at the largest value.
    """
    name, figure, guess, _ = headline
    is_error = name.partition(" of ")[0].endswith("error")
    end = (max(guess, figure.high) or 1.0) if is_error else 1.0
    values = {"guess": guess, "low": figure.low, "value": figure.value, "high": figure.high}
    places = {key: 100 * min(max(value / end, 0.0), 1.0) for key, value in values.items()}
    return places | {"end": end}


def cautions(subject: Subject) -> Iterator[str]:
    """Yield warnings about figures that are less reliable than they look."""
    part, count = subject.evidence.part, len(subject.evidence.targets)
    if part == "validation":
        yield (
            f"There was no test part: these {subject.noun}s were also used to monitor the "
            f"training, so results on new {subject.noun}s may be a little worse."
        )
    if part == "train":
        yield (
            f"Nothing was held out: the network was trained on these very {subject.noun}s, so "
            "the figures say little about new ones."
        )
    if part != "train" and count < FEW:
        yield f"Measured on only {number_of(count, subject.noun)}: the figures are rough."


def memorised_remark(
    subject: Subject, name: str, words: str, exceeds_chance: Callable[[float, Figure], bool]
) -> Iterator[str]:
    """Yield a remark on overfitting, if the training figure is better by more than chance.

    Args:
        subject: The subject of the report.
        name: The name of the metric to compare.
        words: The words before the training figure.
        exceeds_chance: Tells whether a training figure beats the held-out one by more than
            chance.
    """
    part = subject.evidence.part
    trained = subject.figures.get("train", {}).get(name)
    if part == "train" or trained is None:
        return
    if exceeds_chance(trained, subject.measured[name]):
        yield (
            f"On the training {subject.noun}s {words} {figure_text(name, trained)}: the gap to "
            f"the {WORDS[part]} {subject.noun}s comes from overfitting."
        )


def validation_losses(subject: Subject) -> list[float]:
    """Return the validation losses; empty if they are too few or cannot be compared."""
    history = subject.history
    if "validation_loss" not in history.columns or len(history) < 5:
        return []
    losses = [math.nan if v is None else float(v) for v in history["validation_loss"]]
    return losses if all(math.isfinite(loss) and loss > 0 for loss in losses) else []


def falling_loss_remark(subject: Subject) -> Iterator[str]:
    """Yield a remark if the training was too short."""
    losses = validation_losses(subject)
    if not losses:
        return
    before, last = losses[-1 - max(1, len(losses) // 10)], losses[-1]
    if last == min(losses) and last < before * (1 - STILL_FALLING):
        yield "The validation loss was still falling at the end: more epochs may help."


def rising_loss_remark(subject: Subject) -> Iterator[str]:
    """Yield a remark if the training was too long."""
    losses = validation_losses(subject)
    if not losses:
        return
    best = losses.index(min(losses))
    if losses[-1] > losses[best] * RISEN and best < 0.7 * len(losses):
        yield (
            f"The validation loss was lowest in epoch {best + 1} and has risen "
            "since: fewer epochs, more data or augmentation may help."
        )
