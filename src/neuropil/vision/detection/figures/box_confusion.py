"""Confusion table of detected boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from neuropil.training.metrics.statistics import counts_of
from neuropil.vision.detection.figures.matching import NONE, match_boxes

if TYPE_CHECKING:
    from torch import Tensor


def box_confusion(answers: Tensor, targets: Tensor, classes: int) -> Tensor:
    """Return the number of boxes by true and predicted class.

    Answers are matched with boxes of their class first (see `match_boxes`), so the diagonal has
    the right answers of F1. Those that remain are matched in the same way with the boxes that
    remain, of any class. The last row counts answers without a box, the last column boxes
    without an answer. Boxes that count neither for nor against are left out.

    Shape:
        Answers ``(N, A, 6)``, targets ``(N, M, 5)``. ``(K + 1, K + 1)`` whole numbers: rows are
        the true classes and the background, columns the predicted classes and missed boxes.

    Args:
        answers: The predicted boxes, those above the score thresholds.
        targets: The true boxes.
        classes: Number of classes.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.0, 0, 9, 9, 0.9, 0], [20, 20, 29, 29, 0.8, 0]]])
        >>> targets = torch.tensor([[[0.0, 0, 9, 9, 1], [50, 50, 59, 59, 0]]])
        >>> box_confusion(answers, targets, 2)
        tensor([[0, 0, 1],
                [1, 0, 0],
                [1, 0, 0]])
    """
    right, mistaken = pair_boxes(answers, targets)
    number, true = answers[..., 5].long(), targets[..., 4].long()
    paired = torch.where(right == NONE, mistaken, right)
    # An answer without a target gets the row of the background.
    padded = torch.cat([true, torch.full_like(true[:, :1], classes)], dim=1)
    row = padded.gather(1, paired % padded.shape[1])
    counted = (number > NONE) & (row > NONE)
    missed = true[(true > NONE) & ~take(paired, targets)]
    rows = torch.cat([row[counted], missed])
    columns = torch.cat([number[counted], torch.full_like(missed, classes)])
    return counts_of(rows, columns, classes + 1, classes + 1)


def pair_boxes(answers: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the targets that answers are matched with, of their class and of another one.

    Shape:
        Two tensors ``(N, A)``: the row of the target, −1 for none. An answer has at most one of
        both, and so has a target that counts.

    Args:
        answers: The predicted boxes.
        targets: The true boxes.
    """
    right = match_boxes(answers, targets)[..., 0]
    taken = take(right, targets)
    # The boxes that remain are matched as if all were of one class.
    others, rest = answers.clone(), targets.clone()
    others[..., 5] = torch.where((right == NONE) & (answers[..., 5] > NONE), 0.0, NONE)
    rest[..., 4] = torch.where((targets[..., 4] > NONE) & ~taken, 0.0, NONE)
    return right, match_boxes(others, rest)[..., 0]


def take(matched: Tensor, targets: Tensor) -> Tensor:
    """Return whether each target is that of an answer, ``(N, M)``."""
    count = targets.shape[1]
    taken = torch.zeros(len(targets), count + 1, dtype=torch.bool, device=targets.device)
    return taken.scatter(1, matched % (count + 1), value=True)[:, :-1]
