"""The result of a regression in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.report.sections.base import Headline
from neuropil.report.sections.summary_section import memorised_remark
from neuropil.report.wording import INTERVAL, THIN, interval, number, percent
from neuropil.runs.figures.decoded_metric import figure_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.report.evidence import Figure
    from neuropil.report.subject import Subject

Array = np.ndarray[Any, Any]

# A smaller ratio of held-out to training error is not worth a remark.
NOTABLE_RATIO = 1.2


def regression_headline(subject: Subject) -> Headline:
    """Return the mean absolute error, or R² if the network may not beat the training mean.

    If there are several target columns it is their mean R², since errors in different units
    have no mean.
    """
    if subject.evidence.task.target.columns:
        return headline_of_several(subject)
    r2, error = subject.measured["r2"], subject.measured["mean_absolute_error"]
    if not r2.low > 0:
        surely = "no" if r2.value <= 0 else "not reliably"
        sentence = (
            f"is R² on {subject.examples} ({INTERVAL} {interval('r2', r2)}): predictions of "
            f"{subject.target} are {surely} better than always predicting the training mean."
        )
        return Headline("r2", r2, 0.0, sentence)
    name = "mean_absolute_error"
    sentence = (
        f"is the mean absolute error in predicting {subject.target} on {subject.examples} "
        f"({INTERVAL} {interval(name, error)})."
    )
    return Headline(name, error, float(baseline_errors(subject).mean()), sentence)


def headline_of_several(subject: Subject) -> Headline:
    """Return the mean R² of several target columns."""
    r2 = subject.measured["r2"]
    sentence = (
        f"is the mean R² of {subject.target} on {subject.examples} ({INTERVAL} "
        f"{interval('r2', r2)}): 1 is perfect, and 0 is no better than always predicting the "
        "training means."
    )
    return Headline("r2", r2, 0.0, sentence)


def baseline_errors(subject: Subject) -> Array:
    """Return the mean absolute error of always predicting the training mean, per output."""
    mean = np.asarray(subject.evidence.task.target.mean)
    return np.abs(subject.evidence.targets - mean).mean(axis=0)


def remarks_on_several(subject: Subject) -> Iterator[str]:
    """Yield R² and the error of each target column, and a remark on overfitting."""
    columns = subject.evidence.task.target.columns
    for name, baseline in zip(columns, baseline_errors(subject), strict=True):
        r2, error = (
            subject.measured[figure_of(m, name)] for m in ("r2", "mean_absolute_error")
        )
        yield (
            f"{name}: off by {number(error.value)} on average, where always predicting the "
            f"training mean would be off by {number(baseline)}; R² {number(r2.value)} "
            f"({INTERVAL} {interval('r2', r2)})."
        )
    yield from memorised_remark(subject, "r2", "the mean R² is", explains_more)


def explains_more(trained: float, held: Figure) -> bool:
    """Tell whether a training R² is above the held-out one by more than chance."""
    return trained > held.high and 1 - held.value > NOTABLE_RATIO * (1 - trained)


def regression_remarks(subject: Subject) -> Iterator[str]:
    """Yield remarks on the baseline, explained variance, typical errors and overfitting."""
    if subject.evidence.task.target.columns:
        yield from remarks_on_several(subject)
        return
    evidence, r2 = subject.evidence, subject.measured["r2"]
    baseline = number(float(baseline_errors(subject).mean()))
    yield f"Always predicting the training mean would be off by {baseline} on average."
    yield (
        f"The network explains {percent(max(r2.value, 0))} of the variance "
        f"(R² {number(r2.value)}, {INTERVAL} {interval('r2', r2)})."
    )
    half, most = map(
        number, np.quantile(np.abs(evidence.answers - evidence.targets), [0.5, 0.9])
    )
    yield f"Half of the predictions are off by at most {half}, 90{THIN}% by at most {most}."
    yield from memorised_remark(
        subject, "mean_absolute_error", "the mean absolute error is", exceeds_chance
    )


def exceeds_chance(trained: float, held: Figure) -> bool:
    """Tell whether a training error is below the held-out one by more than chance."""
    return trained < held.low and trained < held.value / NOTABLE_RATIO
