"""Pictures with boxes: those with the most errors, and some with all predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuropil.plots.detection.drawn_boxes import Mark, boxes, draw_marks
from neuropil.plots.palette import class_palette
from neuropil.plots.theme import label
from neuropil.report.evidence import WORDS
from neuropil.report.example_pictures import Picture, embed, to_bytes
from neuropil.report.page import Section
from neuropil.report.sections.detection.box_findings import findings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from PIL.Image import Image
    from torch import Tensor

    from neuropil.datasets.source import Source
    from neuropil.report.sections.detection.box_findings import BoxFindings
    from neuropil.report.subject import Subject
    from neuropil.vision.detection.figures.box_errors import BoxError

# The pictures with the most errors that are shown, and the pictures with all predictions.
MOST_MISTAKES, MOST_PICTURES = 12, 10
# The page shows a picture at about half this width, so that text is sharp on fine screens.
WIDEST, TEXT_SHARE = 640, 1 / 30
SCORE, CLASS = 4, 5


class BoxedPicture(NamedTuple):
    """A picture with boxes, as the page shows it.

    Args:
        name: Its file name, or its number.
        picture: The picture.
        words: What is in it, or the errors.
    """

    name: str
    picture: Picture
    words: str


def box_mistakes(subject: Subject) -> Section:
    """Return the pictures with the most errors, each error named and drawn."""
    found, evidence = findings(subject.evidence), subject.evidence
    mistakes = evidence.task.mistakes(found.all_answers, found.targets)
    shown = [
        BoxedPicture(
            name_of(evidence.data, mistake.example),
            drawn(subject, evidence.data, mistake.example, error_marks(found, mistake.example)),
            mistake.kind,
        )
        for mistake in mistakes[:MOST_MISTAKES]
    ]
    return Section(
        "box_mistakes",
        examples=shown,
        wrong=len(mistakes),
        all=len(evidence.targets),
        noun=subject.noun,
        part=WORDS[evidence.part],
    )


def box_pictures(subject: Subject) -> Section:
    """Return some pictures with all boxes that are predicted, in the order of the data."""
    found, evidence = findings(subject.evidence), subject.evidence
    figures: Any = subject.figures
    count = len(evidence.targets)
    places = np.unique(np.linspace(0, count - 1, min(count, MOST_PICTURES)).round().astype(int))
    shown = [
        BoxedPicture(
            name_of(evidence.data, place),
            drawn(subject, evidence.data, place, answer_marks(found, place)),
            evidence.task.sentence(found.answers[place], figures, 1),
        )
        for place in places.tolist()
    ]
    return Section("box_pictures", examples=shown, noun=subject.noun, part=WORDS[evidence.part])


def labelled_picture(subject: Subject, index: int) -> Picture:
    """Return a training picture with its true boxes."""
    train = subject.splits.train
    targets: Any = train.targets
    pixels = to_bytes(train.fetch([index]).inputs[0], subject.data.limits)
    return embed(boxes(pixels, targets[index], subject.evidence.classes), WIDEST)


def answer_picture(picture: Any, answer: Tensor, task: Any) -> Image:
    """Return a picture with the boxes of an answer, their classes and scores.

    Args:
        picture: The picture.
        answer: The boxes in its pixels, ``(A, 6)``.
        task: The task.
    """
    return boxes(picture, answer, task.classes)


def drawn(subject: Subject, data: Source, index: int, marks: Iterable[Mark]) -> Picture:
    """Return a picture with boxes for the page."""
    pixels = to_bytes(data.fetch([index]).inputs[0], subject.data.limits)
    return embed(draw_marks(pixels, marks, least=WIDEST, text_share=TEXT_SHARE), WIDEST)


def name_of(data: Source, index: int) -> str:
    """Return the name of an example, or its number."""
    return f"no. {index + 1}" if data.names is None else data.names[index]


def answer_marks(found: BoxFindings, place: int) -> list[Mark]:
    """Return the predicted boxes of a picture, with names and scores."""
    colors = class_palette(len(found.classes))
    marks = []
    for row in found.answers[place].tolist():
        if row[CLASS] >= 0:
            name, score = label(found.classes[int(row[CLASS])]), f"{row[SCORE]:.2f}"
            marks.append(mark_of(row, colors[int(row[CLASS])], f"{name} {score}", score))
    return marks


def error_marks(found: BoxFindings, place: int) -> list[Mark]:
    """Return the boxes of a picture: right ones thin, errors named, their true boxes dashed."""
    colors = class_palette(len(found.classes))
    answers, targets = found.answers[place].tolist(), found.targets[place].tolist()
    errors = found.errors[place]
    wrong = {error.answer for error in errors}
    right = [
        mark_of(row, colors[int(row[CLASS])], faint=True)
        for index, row in enumerate(answers)
        if row[CLASS] >= 0 and index not in wrong
    ]
    return right + [
        mark for error in errors for mark in marks_of(error, found, answers, targets)
    ]


def marks_of(
    error: BoxError, found: BoxFindings, answers: list[Any], targets: list[Any]
) -> list[Mark]:
    """Return the boxes that an error concerns: the true one dashed, the predicted one named."""
    colors = class_palette(len(found.classes))
    marks = []
    true = None if error.target is None else int(targets[error.target][-1])
    if error.target is not None and true is not None and true >= 0:
        text = ("missed", f"missed {label(found.classes[true])}")
        texts = text[::-1] if error.kind == "missed" else ()
        marks.append(mark_of(targets[error.target], colors[true], *texts, dashed=True))
    if error.answer is not None:
        row = answers[error.answer]
        name, score = label(found.classes[int(row[CLASS])]), f"{row[SCORE]:.2f}"
        text = f"{error.kind} {name} {score}"
        marks.append(mark_of(row, colors[int(row[CLASS])], text, error.kind))
    return marks


def mark_of(
    row: list[Any], color: str, *texts: str, dashed: bool = False, faint: bool = False
) -> Mark:
    """Return a box to be drawn from its row."""
    return Mark(tuple(row[:4]), color, texts, dashed=dashed, faint=faint)
