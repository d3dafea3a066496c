"""Errors of landmarks: of each point and picture, and of a constant prediction."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from neuropil.vision.landmarks.normalized_error import picture_errors

if TYPE_CHECKING:
    from neuropil.report.evidence import Evidence
    from neuropil.report.subject import Subject

Array = np.ndarray[Any, Any]


class Errors(NamedTuple):
    """The errors of a network, as parts of the size that the task tells.

    Attributes:
        points: ``(N, P)``, the error of each point.
        counts: ``(N, P)``, whether it counts.
        pictures: The mean error of each picture that has one.
    """

    points: Array
    counts: Array
    pictures: Array


@lru_cache(maxsize=2)
def errors_of(evidence: Evidence) -> Errors:
    """Return the errors of the predictions."""
    return errors_between(evidence, torch.from_numpy(evidence.answers))


def errors_between(evidence: Evidence, answers: torch.Tensor) -> Errors:
    """Return the errors of some answers.

    Args:
        evidence: The examples.
        answers: The answers, ``(N, P, 3)``.
    """
    task: Any = evidence.task
    found = task.point_errors(answers, torch.from_numpy(evidence.targets))
    return Errors(*(each.numpy() for each in (*found, picture_errors(*found))))


def baseline_errors(subject: Subject) -> Array:
    """Return the errors of always predicting the mean of the training points."""
    labels: Any = subject.splits.train.targets
    known = (labels[..., 2:] > 0).double()
    mean = (labels.double() * known).sum(dim=0) / known.sum(dim=0).clamp(min=1)
    count = len(subject.evidence.targets)
    return errors_between(subject.evidence, mean.expand(count, *mean.shape)).pictures


def unit(subject: Subject) -> str:
    """Return the size that errors are a part of, in words."""
    task: Any = subject.evidence.task
    return task.unit


def point_rows(subject: Subject) -> list[dict[str, Any]]:
    """Return the errors of each point."""
    found = errors_of(subject.evidence)
    each = zip(subject.evidence.task.target.points, found.points.T, found.counts.T, strict=True)
    rows = []
    for name, errors, counts in each:
        own = errors[counts]
        middle, most = np.quantile(own, [0.5, 0.9]) if len(own) else (np.nan, np.nan)
        mean = float(own.mean()) if len(own) else np.nan
        rows.append(
            {"name": name, "count": len(own), "error": mean, "half": middle, "most": most}
        )
    return rows
