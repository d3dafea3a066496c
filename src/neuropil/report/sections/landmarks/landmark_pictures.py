"""Pictures with points: those with the largest errors, and some with all predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.landmarks.drawn_points import VISIBLE, draw_points, points
from neuropil.report.evidence import WORDS
from neuropil.report.example_pictures import Picture, embed, to_bytes
from neuropil.report.page import Section
from neuropil.report.sections.detection.box_pictures import BoxedPicture, name_of
from neuropil.report.wording import number

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from neuropil.datasets.source import Source
    from neuropil.report.subject import Subject

MOST_MISTAKES, MOST_PICTURES = 12, 10
# The page shows a picture at about half this width.
WIDEST = 480


def point_mistakes(subject: Subject) -> Section:
    """Return the pictures with the largest errors, with predicted and true points."""
    import torch

    evidence = subject.evidence
    answers, targets = map(torch.from_numpy, (evidence.answers, evidence.targets))
    mistakes = evidence.task.mistakes(answers, targets)
    shown = [
        BoxedPicture(
            name_of(evidence.data, mistake.example),
            drawn(
                subject,
                evidence.data,
                mistake.example,
                evidence.answers[mistake.example],
                evidence.targets[mistake.example],
            ),
            f"mean error {number(mistake.size)}; {mistake.kind}",
        )
        for mistake in mistakes[:MOST_MISTAKES]
    ]
    return Section(
        "point_mistakes",
        examples=shown,
        all=len(evidence.targets),
        noun=subject.noun,
        part=WORDS[evidence.part],
    )


def point_pictures(subject: Subject) -> Section:
    """Return some pictures with all points that are predicted, in the order of the data."""
    evidence = subject.evidence
    count = len(evidence.targets)
    places = np.unique(np.linspace(0, count - 1, min(count, MOST_PICTURES)).round().astype(int))
    shown = [
        BoxedPicture(
            name_of(evidence.data, place),
            drawn(subject, evidence.data, place, evidence.answers[place], None),
            "",
        )
        for place in places.tolist()
    ]
    return Section(
        "point_pictures",
        examples=shown,
        hidden=bool((evidence.answers[places, :, 2] < VISIBLE).any()),
        noun=subject.noun,
        part=WORDS[evidence.part],
    )


def labelled_picture(subject: Subject, index: int) -> Picture:
    """Return a training picture with its true points."""
    train = subject.splits.train
    targets: Any = train.targets
    return drawn(subject, train, index, None, targets[index].numpy())


def answer_picture(picture: Any, answer: torch.Tensor, task: Any) -> Image:
    """Return a picture with the points of an answer.

    Args:
        picture: The picture.
        answer: The points in its pixels, ``(P, 3)``.
        task: The task.
    """
    return points(picture, answer, task.target.points)


def drawn(subject: Subject, data: Source, index: int, found: Any, truth: Any) -> Picture:
    """Return a picture with points for the page."""
    pixels = to_bytes(data.fetch([index]).inputs[0], subject.data.limits)
    names = subject.evidence.task.target.points
    return embed(draw_points(pixels, found, names, truth, least=WIDEST), WIDEST)
