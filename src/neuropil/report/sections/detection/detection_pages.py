"""The parts of a report that are specific to detection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.report.sections.base import Targets, TaskPages
from neuropil.report.sections.detection.box_findings import findings
from neuropil.report.sections.detection.box_pictures import (
    answer_picture,
    box_mistakes,
    box_pictures,
    labelled_picture,
)
from neuropil.report.sections.detection.detection_results import detection_results
from neuropil.report.sections.detection.detection_summary import (
    detection_figures,
    detection_headline,
    detection_remarks,
)
from neuropil.text import number_of

if TYPE_CHECKING:
    from neuropil.report.evidence import Evidence
    from neuropil.report.subject import Subject

MOST_SAMPLES = 6


def targets(subject: Subject) -> Targets:
    """Return the task, and the first training pictures that have boxes."""
    evidence, train = subject.evidence, subject.splits.train
    labels = train.targets
    labelled = [] if labels is None else (labels[..., 4] >= 0).any(dim=1).nonzero().flatten()
    classes = number_of(len(evidence.classes), "class")
    return Targets(
        [("task", f"{evidence.task.name}, boxes of {classes}")],
        f"Training {subject.noun}s with their boxes",
        [(int(index), "") for index in labelled[:MOST_SAMPLES]],
    )


def answer(subject: Subject) -> tuple[str, str]:
    """Return the Python name of the predictions, and their shape in words."""
    most = subject.evidence.answers.shape[1]
    holds = f"(N, {most}, 6): x1, y1, x2, y2 in pixels, score, class; class -1 is padding"
    return "boxes", holds


def is_faultless(evidence: Evidence) -> bool:
    """Tell whether no picture has an error."""
    return not findings(evidence).kinds


DETECTION = TaskPages(
    intervals=detection_figures, headline=detection_headline, remarks=detection_remarks,
    results=detection_results, mistakes=box_mistakes, targets=targets, answer=answer,
    pictures=box_pictures, sample=labelled_picture, draw=answer_picture,
    is_faultless=is_faultless,
)  # fmt: skip
