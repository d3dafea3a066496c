"""The parts of a report that are specific to landmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.report.sections.base import Targets, TaskPages
from neuropil.report.sections.landmarks.landmark_pictures import (
    answer_picture,
    labelled_picture,
    point_mistakes,
    point_pictures,
)
from neuropil.report.sections.landmarks.landmark_results import landmark_results
from neuropil.report.sections.landmarks.landmark_summary import (
    landmark_figures,
    landmark_headline,
    landmark_remarks,
)
from neuropil.text import number_of

if TYPE_CHECKING:
    from neuropil.report.subject import Subject

MOST_SAMPLES = 6


def targets(subject: Subject) -> Targets:
    """Return the task, and the first training pictures with their points."""
    count = number_of(len(subject.evidence.task.target.points), "point")
    labels: Any = subject.splits.train.targets
    labelled = (labels[..., 2] > 0).any(dim=1).nonzero().flatten()
    return Targets(
        [("task", f"landmarks, {count} in each {subject.noun}")],
        f"Training {subject.noun}s with their points",
        [(int(index), "") for index in labelled[:MOST_SAMPLES]],
    )


def answer(subject: Subject) -> tuple[str, str]:
    """Return the Python name of the predictions, and their shape in words."""
    points = subject.evidence.answers.shape[1]
    return "points", f"(N, {points}, 3): x, y in pixels, probability of being visible"


LANDMARKS = TaskPages(
    intervals=landmark_figures, headline=landmark_headline, remarks=landmark_remarks,
    results=landmark_results, mistakes=point_mistakes, targets=targets, answer=answer,
    pictures=point_pictures, sample=labelled_picture, draw=answer_picture,
)  # fmt: skip
