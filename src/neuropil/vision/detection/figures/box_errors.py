"""The errors of a detector in each picture, by kind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from neuropil.runs.task import Mistake
from neuropil.vision.boxes.iou import iou
from neuropil.vision.detection.figures.box_confusion import pair_boxes
from neuropil.vision.detection.figures.matching import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

# How a kind of error is said; the order is that in a sentence.
WORDS = {
    "missed": "“{true}” missed",
    "mistaken": "“{true}” mistaken for “{predicted}”",
    "misplaced": "“{predicted}” misplaced",
    "doubled": "“{predicted}” doubled",
    "background": "“{predicted}” on background",
}
# An answer that overlaps a box of its class at least by this, but not enough, is misplaced.
NEAR, ENOUGH = 0.1, 0.5


class BoxError(NamedTuple):
    """A box that was missed, or an answer that is wrong.

    Attributes:
        kind: "missed": a box without any answer. "mistaken": an answer on a box of another
            class. "misplaced": an answer of which the IoU with a box of its class is at least
            0.1 and below 0.5. "doubled": another answer on a box that has one. "background":
            any other answer.
        answer: The row of the answer in its picture; None for a missed box.
        target: The row of the box concerned; None for background.
    """

    kind: str
    answer: int | None
    target: int | None


def box_errors(answers: Tensor, targets: Tensor) -> list[list[BoxError]]:
    """Return the errors in each picture.

    Each box and each answer has at most one error. A box near a misplaced answer is not
    missed, if it has no other answer.

    Shape:
        Answers ``(N, A, 6)``, targets ``(N, M, 5)``.

    Args:
        answers: The predicted boxes, those above the score thresholds.
        targets: The true boxes.

    Raises:
        ValueError: If the shapes do not fit, or there are more than 100 answers per picture.

    Reference:
        Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV
        2020, arXiv:2008.08115. There an answer that is both misplaced and mistaken has a kind
        of its own.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.0, 0, 9, 9, 0.9, 0], [20, 20, 29, 29, 0.8, 0]]])
        >>> targets = torch.tensor([[[0.0, 0, 9, 9, 1], [50, 50, 59, 59, 0]]])
        >>> for error in box_errors(answers, targets)[0]:
        ...     print(error)
        BoxError(kind='mistaken', answer=0, target=0)
        BoxError(kind='background', answer=1, target=None)
        BoxError(kind='missed', answer=None, target=1)
    """
    answers, targets = answers.cpu(), targets.cpu()
    right, mistaken = pair_boxes(answers, targets)
    overlaps = iou(answers[..., :4].double(), targets[..., :4].double())
    return [
        errors_of_picture(*picture)
        for picture in zip(answers, targets, right, mistaken, overlaps, strict=True)
    ]


def errors_of_picture(
    answers: Tensor, targets: Tensor, right: Tensor, mistaken: Tensor, overlaps: Tensor
) -> list[BoxError]:
    """Return the errors in one picture: answers by their scores, then missed boxes."""
    classes = targets[:, 4]
    free = set((classes > NONE).nonzero().flatten().tolist())
    free -= {*right.tolist(), *mistaken.tolist()}
    wrong = (answers[:, 5] != NONE) & (right == NONE)
    order = answers[:, 4].argsort(descending=True, stable=True)
    errors = []
    for answer in order[wrong[order]].tolist():
        error = error_of(answer, float(answers[answer, 5]), mistaken, overlaps, classes, free)
        errors.append(error)
        if error.target is not None:
            free.discard(error.target)
    return errors + [BoxError("missed", None, target) for target in sorted(free)]


def error_of(
    answer: int,
    number: float,
    mistaken: Tensor,
    overlaps: Tensor,
    classes: Tensor,
    free: set[int],
) -> BoxError:
    """Return the error of an answer that is not right.

    Args:
        answer: Its row.
        number: Its class.
        mistaken: The target of another class that each answer is matched with.
        overlaps: IoU of each answer with each target.
        classes: The class of each target.
        free: The targets that no answer is matched with.
    """
    if mistaken[answer] != NONE:
        return BoxError("mistaken", answer, int(mistaken[answer]))
    own = overlaps[answer].masked_fill(classes <= NONE, 0)
    if own.max() >= ENOUGH:
        return BoxError("doubled", answer, int(own.argmax()))
    own = own.masked_fill(classes != number, 0)
    near = [target for target in own.argsort(descending=True).tolist() if own[target] >= NEAR]
    if near:
        return BoxError("misplaced", answer, next((t for t in near if t in free), near[0]))
    return BoxError("background", answer, None)


def box_mistakes(answers: Tensor, targets: Tensor, classes: Sequence[str]) -> list[Mistake]:
    """Return the pictures with errors, those with the most errors first.

    The size of a mistake is the number of errors in the picture. Of equal numbers, the picture
    whose wrong answers have the larger scores comes first.

    Args:
        answers: The predicted boxes, those above the score thresholds.
        targets: The true boxes.
        classes: The names of the classes.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.0, 0, 9, 9, 0.9, 0], [20, 20, 29, 29, 0.8, 0]]])
        >>> targets = torch.tensor([[[0.0, 0, 9, 9, 1], [50, 50, 59, 59, 0]]])
        >>> box_mistakes(answers, targets, ["cat", "dog"])[0].kind
        '1 “cat” missed, 1 “dog” mistaken for “cat”, 1 “cat” on background'
    """
    found = box_errors(answers, targets)
    scores = [
        sum(float(given[error.answer, 4]) for error in errors if error.answer is not None)
        for given, errors in zip(answers, found, strict=True)
    ]
    order = sorted(range(len(found)), key=lambda n: (-len(found[n]), -scores[n]))
    return [
        Mistake(n, in_words(found[n], answers[n], targets[n], classes), float(len(found[n])))
        for n in order
        if found[n]
    ]


def in_words(
    errors: Sequence[BoxError], answers: Tensor, targets: Tensor, classes: Sequence[str]
) -> str:
    """Return the errors in one picture as words, such as "2 “cat” missed, 1 “dog” doubled".

    Args:
        errors: The errors.
        answers: The answers in the picture, ``(A, 6)``.
        targets: The true boxes in the picture, ``(M, 5)``.
        classes: The names of the classes.
    """
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in WORDS}
    for error in errors:
        true = "" if error.target is None else classes[int(targets[error.target, 4])]
        given = "" if error.answer is None else classes[int(answers[error.answer, 5])]
        counts[error.kind][WORDS[error.kind].format(true=true, predicted=given)] += 1
    return ", ".join(
        f"{count} {words}" for found in counts.values() for words, count in found.items()
    )
