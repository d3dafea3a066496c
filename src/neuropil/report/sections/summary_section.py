"""The result in plain words: one sentence, then what one should know beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neuropil.report.evidence import WORDS
from neuropil.report.page import Section
from neuropil.report.wording import figure_text, is_share
from neuropil.text import number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neuropil.report.evidence import Figure
    from neuropil.report.sections.base import Headline, TaskPages
    from neuropil.report.subject import Subject

FEW = 100
# A loss that changes by less than this over the last tenth of the training stands still.
STILL_FALLING = 0.02
RISEN = 1.2


def summary_section(subject: Subject, task: TaskPages, effort: str) -> Section:
    """Return the result in plain words.

    Args:
        subject: What the report is about.
        task: The pages of its task.
        effort: A sentence on what it took to train the network.
    """
    headline = task.headline(subject)
    remarks = [*cautions(subject), *task.remarks(subject)]
    if not (task.is_faultless and task.is_faultless(subject.evidence)):
        remarks += still_falling(subject)
    remarks += [*has_risen(subject), effort]
    return Section(
        "summary", {"headline": headline, "strip": strip(headline), "remarks": remarks}
    )


def strip(headline: Headline) -> dict[str, float]:
    """Return where guessing, the figure and its interval lie on a line, in per cent.

    The line ends at 1 for shares and R², which are best there, and for errors at the largest.
    """
    name, figure, guess, _ = headline
    end = 1.0 if is_share(name) or name == "r2" else max(guess, figure.high) or 1.0
    values = {"guess": guess, "low": figure.low, "value": figure.value, "high": figure.high}
    places = {key: 100 * min(max(value / end, 0.0), 1.0) for key, value in values.items()}
    return places | {"end": end}


def cautions(subject: Subject) -> Iterator[str]:
    """Yield where the figures are less than they look."""
    part, count = subject.evidence.part, len(subject.evidence.targets)
    if part == "validation":
        yield (
            f"There was no test part. These {subject.noun}s were watched during the training, "
            "so new ones may fare a little worse."
        )
    if part == "train":
        yield (
            f"Nothing was held out: these are the very {subject.noun}s it learned from, and "
            "the figures say little about new ones."
        )
    if part != "train" and count < FEW:
        yield f"Only {number_of(count, subject.noun)} to judge by: the figures are rough."


def memorised_remark(
    subject: Subject, name: str, words: str, is_apart: Callable[[float, Figure], bool]
) -> Iterator[str]:
    """Yield how much better it is on what it learned from, where that is more than chance.

    Args:
        subject: What the report is about.
        name: The metric that is compared.
        words: The beginning of what is said of the training figure.
        is_apart: Whether a training figure is so much better than the held-out one.
    """
    part = subject.evidence.part
    trained = subject.figures.get("train", {}).get(name)
    if part != "train" and trained is not None and is_apart(trained, subject.measured[name]):
        yield (
            f"On the training {subject.noun}s {words} {figure_text(name, trained)}: the "
            f"difference to the {WORDS[part]} ones is what it learned by heart."
        )


def course(subject: Subject) -> list[float]:
    """Return the validation losses; none where they are too few, or nothing to compare."""
    history = subject.history
    if "validation_loss" not in history.columns or len(history) < 5:
        return []
    losses = [math.nan if v is None else float(v) for v in history.column("validation_loss")]
    return losses if all(math.isfinite(loss) and loss > 0 for loss in losses) else []


def still_falling(subject: Subject) -> Iterator[str]:
    """Yield that the training was too short."""
    losses = course(subject)
    if not losses:
        return
    before, last = losses[-1 - max(1, len(losses) // 10)], losses[-1]
    if last == min(losses) and last < before * (1 - STILL_FALLING):
        yield "The validation loss was still falling at the end: more epochs may help."


def has_risen(subject: Subject) -> Iterator[str]:
    """Yield that the training was too long."""
    losses = course(subject)
    if not losses:
        return
    best = losses.index(min(losses))
    if losses[-1] > losses[best] * RISEN and best < 0.7 * len(losses):
        yield (
            f"The validation loss was lowest in epoch {best + 1} and has risen "
            "since: fewer epochs, more data or augmentation may help."
        )
