"""Rows of matched answers and of true boxes, from which all figures of detection follow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neuropil.vision.detection.figures.matching import NONE, match_boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

# Those of COCO, with its rounding errors: 0.5, 0.55, …, 0.95.
IOUS = tuple(np.linspace(0.5, 0.95, 10).tolist())
# The columns before one for each limit of the IoU.
PICTURE, IS_TARGET, CLASS, SCORE, KINDS = range(5)
# Kinds of answers: right, wrong, or matched with a box that does not count.
RIGHT, WRONG, UNCOUNTED = 1, 0, -1


def match_rows(answers: Tensor, targets: Tensor, ious: Sequence[float] = IOUS) -> Tensor:
    """Return a row for each answer and for each target that counts, in double precision.

    The columns are the number of its picture, whether it is a target, its class, the score of
    an answer, and for each limit of the IoU what an answer is: 1 if it is right, 0 if it is
    wrong, −1 if it does not count, and NaN if its numbers are not finite.

    Shape:
        Answers ``(N, A, 6)``, targets ``(N, M, 5)``, as `match_boxes` takes them. The result is
        ``(R, 4 + T)`` for T limits.

    Args:
        answers: The detected boxes.
        targets: The true boxes.
        ious: The limits.
    """
    matched = match_boxes(answers, targets, ious)
    own = targets[..., 4].double()
    # The class of the target that each answer is matched with, −1 for those without one.
    padded = torch.cat([own, torch.full_like(own[:, :1], NONE)], dim=1)
    chosen = padded.gather(1, matched.flatten(1) % padded.shape[1]).view(matched.shape)
    kinds = torch.where(chosen < NONE, UNCOUNTED, (chosen > NONE) * RIGHT).double()
    given = answers.double()
    spoilt = ~given.isfinite().all(dim=-1, keepdim=True)
    kinds = kinds.masked_fill(spoilt, math.nan)
    picture = torch.arange(len(own), device=own.device)[:, None, None]
    columns = [picture.expand_as(spoilt), torch.zeros_like(spoilt), given[..., [5, 4]], kinds]
    found = torch.cat(columns, dim=-1)
    true = found.new_zeros(*own.shape, found.shape[-1])
    true[..., PICTURE], true[..., IS_TARGET], true[..., CLASS] = picture[..., 0], 1, own
    return torch.cat([found[given[..., 5] != NONE], true[own > NONE]])


def count_boxes(rows: Tensor, thresholds: Sequence[float], pictures: int = 1) -> Tensor:
    """Return the numbers of right answers, of answers and of true boxes of each class.

    Answers count if their score is above the threshold of their class.

    Shape:
        ``(pictures, K, 3)`` for K thresholds.

    Args:
        rows: Those of `match_rows`; the first limit of the IoU is taken.
        thresholds: The score threshold of each class.
        pictures: Number of pictures; 1 counts all pictures together.
    """
    classes = len(thresholds)
    number = rows[:, CLASS].long()
    target = rows[:, IS_TARGET] == 1
    given = ~target & exceeds(rows[:, SCORE], number, thresholds)
    kind = rows[:, KINDS]
    place = number + classes * rows[:, PICTURE].long() * (pictures > 1)
    parts = (given & (kind == RIGHT), given & (kind != UNCOUNTED), target)
    counts = [torch.bincount(place[part], minlength=pictures * classes) for part in parts]
    return torch.stack(counts, dim=1).view(pictures, classes, 3).double()


def exceeds(scores: Tensor, number: Tensor, thresholds: Sequence[float]) -> Tensor:
    """Return whether scores are above the thresholds of their classes, in single precision.

    Args:
        scores: Any shape.
        number: The class of each; −1 exceeds nothing.
        thresholds: The threshold of each class.
    """
    limits = torch.tensor([*thresholds, math.inf], device=scores.device)
    return scores.float() > limits[number.where(number >= 0, len(thresholds))]
