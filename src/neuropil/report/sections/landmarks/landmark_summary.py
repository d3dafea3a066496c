"""The result of landmarks in plain words, and their error with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.report.evidence import Figure
from neuropil.report.sections.base import Headline
from neuropil.report.sections.landmarks.landmark_findings import (
    baseline_errors,
    errors_of,
    point_rows,
    unit,
)
from neuropil.report.sections.regression_summary import exceeds_chance
from neuropil.report.sections.summary_section import memorised_remark
from neuropil.report.wording import INTERVAL, THIN, interval, number, percent
from neuropil.runs.figures.confidence_interval import bootstrap_interval
from neuropil.text import number_of
from neuropil.vision.landmarks.normalized_error import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.report.evidence import Evidence, Values
    from neuropil.report.subject import Subject

# A picture with a larger error is counted as failed, as is usual for faces.
FAILED = 0.1


def landmark_figures(evidence: Evidence, values: Values) -> dict[str, Figure]:
    """Return the normalised mean error with its interval."""
    if NAME not in values:
        return {}
    pictures = errors_of(evidence).pictures[:, None]
    ends = bootstrap_interval(lambda means: means[:, 0], pictures)
    return {NAME: Figure(values[NAME], *ends)}


def landmark_headline(subject: Subject) -> Headline:
    """Return the normalised mean error."""
    figure = subject.measured.get(NAME)
    if figure is None:
        return Headline(
            NAME,
            Figure(1.0, 0.0, 1.0),
            1.0,
            f"is unknown: the {subject.examples} lack the points that give the size.",
        )
    sentence = (
        f"of {unit(subject)} is how far the points are off on average on {subject.examples} "
        f"({INTERVAL} {interval(NAME, figure)})."
    )
    return Headline(NAME, figure, float(baseline_errors(subject).mean()), sentence)


def landmark_remarks(subject: Subject) -> Iterator[str]:
    """Yield remarks on the baseline, typical and failed pictures, the worst point, and more."""
    if NAME not in subject.measured:
        return
    found = errors_of(subject.evidence)
    yield (
        "Always predicting the mean of the training points would be off by "
        f"{number(float(baseline_errors(subject).mean()))}."
    )
    half, most = map(number, np.quantile(found.pictures, [0.5, 0.9]))
    failed = float((found.pictures > FAILED).mean())
    yield (
        f"Half of the {subject.noun}s are off by at most {half}, 90{THIN}% by at most {most}; "
        f"{percent(failed)} by more than {FAILED}."
    )
    rows = point_rows(subject)
    if len(rows) > 1:
        worst = max(rows, key=lambda row: np.nan_to_num(row["error"], nan=-1))
        yield f"The hardest point is “{worst['name']}”: off by {number(worst['error'])}."
    yield from visibility_remark(subject)
    yield from memorised_remark(subject, NAME, "the normalised error is", exceeds_chance)


def visibility_remark(subject: Subject) -> Iterator[str]:
    """Yield a remark on how well hidden points are told from visible ones."""
    state = subject.evidence.targets[..., 2]
    if not (state == 1).any():
        return
    seen = subject.evidence.answers[..., 2] >= 0.5
    hidden, visible = (~seen[state == kind] for kind in (1, 2))
    words = f"{percent(float(hidden.mean()))} of the {number_of(len(hidden), 'hidden point')}"
    if len(visible):
        words += f", and {percent(float(visible.mean()))} of the visible ones,"
    yield f"{words} are predicted to be hidden."
