"""The parts of a report that are specific to classification."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.report.classification_figures import classification_figures
from neuropil.report.sections.base import Targets, TaskPages
from neuropil.report.sections.classification_results import (
    certainty_section,
    classification_mistakes,
    classification_results,
)
from neuropil.report.sections.classification_summary import (
    classification_headline,
    classification_remarks,
)
from neuropil.report.sections.ranking_section import ranking_section

if TYPE_CHECKING:
    from neuropil.report.subject import Subject

MOST_SAMPLES = 20


def targets(subject: Subject) -> Targets:
    """Return the classes, and one training example of each."""
    classes = subject.evidence.classes
    name = subject.splits.preparation.target.name
    named = f" of “{name}”" if name else ""
    train = subject.splits.train.targets
    present, first = (
        ([], []) if train is None else np.unique(train.cpu().numpy(), return_index=True)
    )
    few = " class" if len(present) <= MOST_SAMPLES else f" of the first {MOST_SAMPLES} classes"
    return Targets(
        [("task", f"classification, {len(classes)} classes{named}")],
        f"One training {subject.noun} of each{few}",
        [(int(k), classes[c]) for c, k in zip(present, first, strict=True)][:MOST_SAMPLES],
    )


def answer(subject: Subject) -> tuple[str, str]:
    """Return the Python name of the predictions, and their shape in words."""
    count = len(subject.evidence.classes)
    return "probabilities", f"(N, {count}): one column per class"


CLASSIFICATION = TaskPages(
    intervals=classification_figures, headline=classification_headline,
    remarks=classification_remarks, results=classification_results,
    mistakes=classification_mistakes, targets=targets, answer=answer,
    ranking=ranking_section, certainty=certainty_section,
    is_faultless=lambda evidence: bool(evidence.right.all()),
)  # fmt: skip
