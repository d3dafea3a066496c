"""The result of a regression in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.report.sections.base import Headline
from neuropil.report.sections.summary_section import memorised_remark
from neuropil.report.wording import INTERVAL, interval, number, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.report.evidence import Figure
    from neuropil.report.subject import Subject

# A smaller ratio of held-out to training error is not worth a line.
NOTABLE_RATIO = 1.2


def regression_headline(subject: Subject) -> Headline:
    """Return the mean absolute error, or R² where it may be no better than the mean."""
    r2, error = subject.measured["r2"], subject.measured["mean_absolute_error"]
    if not r2.low > 0:
        surely = "no" if r2.value <= 0 else "not surely"
        sentence = (
            f"is R² over {subject.examples} ({INTERVAL} {interval('r2', r2)}): predictions of "
            f"{subject.target} are {surely} better than always answering the training mean."
        )
        return Headline("r2", r2, 0.0, sentence)
    name = "mean_absolute_error"
    sentence = (
        f"is the mean error in predicting {subject.target}, over {subject.examples} "
        f"({INTERVAL} {interval(name, error)})."
    )
    return Headline(name, error, usual_error(subject), sentence)


def usual_error(subject: Subject) -> float:
    """Return the mean error of always answering the training mean."""
    mean = np.asarray(subject.evidence.task.target.mean)
    return float(np.abs(subject.evidence.targets - mean).mean())


def regression_remarks(subject: Subject) -> Iterator[str]:
    """Yield how much is explained, what guessing would give, and how far off it may be."""
    evidence, r2 = subject.evidence, subject.measured["r2"]
    usual = number(usual_error(subject))
    yield f"Always answering the training mean would be off by {usual} on average."
    yield (
        f"It explains {percent(max(r2.value, 0))} of the variation "
        f"(R² {number(r2.value)}, {INTERVAL} {interval('r2', r2)})."
    )
    half, most = map(
        number, np.quantile(np.abs(evidence.answers - evidence.targets), [0.5, 0.9])
    )
    yield f"Half of the predictions are off by less than {half}, nine in ten by {most} at most."
    yield from memorised_remark(subject, "mean_absolute_error", "the mean error is", is_apart)


def is_apart(trained: float, held: Figure) -> bool:
    """Tell whether an error in training is more than chance below the held-out one."""
    return trained < held.low and trained < held.value / NOTABLE_RATIO
