"""Assignment of detected boxes to true ones, by the rules of COCO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]

MOST_ANSWERS = 100
"""Number of answers that COCO counts for a picture."""
ANSWER, TARGET = 6, 5
"""Number of columns: x₁, y₁, x₂, y₂, the score of an answer, class."""
NONE = -1
"""Class of padding rows, and the match of an answer that has none."""


def match_boxes(answers: Tensor, targets: Tensor, ious: Sequence[float] = (0.5,)) -> Tensor:
    """Return which target each answer is matched with, greedily by score.

    Answers choose in the order of their scores. Each takes the target of its class with the
    largest IoU of those that are still free, if that IoU is not below the limit. Only if there
    is none, it may be matched with a target that does not count, which stays free; the IoU with
    such a target is the fraction of the answer that it covers.

    The limits of a lower score change no match, so one call serves all score thresholds.

    Shape:
        Answers ``(N, A, 6)``: x₁, y₁, x₂, y₂, score, class. Targets ``(N, M, 5)``: x₁, y₁, x₂,
        y₂, class. Class −1 is padding; a target of class −2 − c is of class c and does not
        count. The result is ``(N, A, T)`` for T limits.

    Args:
        answers: The detected boxes.
        targets: The true boxes.
        ious: The limits.

    Returns:
        The row of the target in its picture; −1 for no match.

    Raises:
        ValueError: If the shapes do not fit, or there are more than 100 answers per picture.

    Reference:
        Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, arXiv:1405.0312; as
        ``pycocotools.cocoeval.COCOeval.evaluateImg``.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.0, 0, 10, 8, 0.9, 1], [0, 0, 10, 9, 0.8, 1]]])
        >>> targets = torch.tensor([[[50.0, 50, 60, 60, 1], [0, 0, 10, 10, 1]]])
        >>> match_boxes(answers, targets, [0.5, 0.85])
        tensor([[[ 1, -1],
                 [-1,  1]]])
    """
    from pycocotools.mask import iou

    from neuropil.vision.detection.figures.matching_loops import match_greedily

    check_pairs(answers, targets)
    order = answers[..., 4].argsort(dim=1, descending=True, stable=True)
    rank = order.cpu().numpy()
    found, true = as_array(answers), as_array(targets)
    true_class, uncounted = split_classes(true[..., 4])
    sizes, wanted = with_sizes(found), with_sizes(true)
    limits = np.minimum(np.asarray(ious, dtype=np.float64), 1 - 1e-10)
    matched = np.full((*answers.shape[:2], len(limits)), NONE, dtype=np.int64)
    for n in np.flatnonzero((true_class > NONE).any(axis=1)):
        overlaps: Any = iou(sizes[n], wanted[n], uncounted[n].astype(np.uint8))
        match_greedily(
            overlaps, found[n, :, 5], rank[n], true_class[n], uncounted[n], limits, matched[n]
        )
    return torch.from_numpy(matched).to(answers.device)


def check_pairs(answers: Tensor, targets: Tensor) -> None:
    """Check the shapes of answers and targets.

    Raises:
        ValueError: If they do not fit, or there are too many answers.
    """
    shapes = tuple(answers.shape), tuple(targets.shape)
    if [len(s) for s in shapes] != [3, 3] or [s[-1] for s in shapes] != [ANSWER, TARGET]:
        raise ValueError(
            f"detections need answers (N, A, {ANSWER}) and targets (N, M, {TARGET}), got "
            f"{shapes[0]} and {shapes[1]}."
        )
    if len(answers) != len(targets) or answers.shape[1] > MOST_ANSWERS:
        raise ValueError(
            f"detections need targets for each picture and at most {MOST_ANSWERS} answers per "
            f"picture, got answers {shapes[0]} and targets {shapes[1]}."
        )


def as_array(boxes: Tensor) -> Array:
    """Return boxes in double precision, on the CPU."""
    return boxes.detach().cpu().double().numpy()


def with_sizes(boxes: Array) -> Array:
    """Return boxes as pycocotools takes them: x, y, width, height."""
    return np.concatenate([boxes[..., :2], boxes[..., 2:4] - boxes[..., :2]], axis=-1)


def split_classes(numbers: Array) -> tuple[Array, Array]:
    """Return the class of each target, −1 for padding, and whether it does not count."""
    uncounted = numbers < NONE
    return np.where(uncounted, -2 - numbers, numbers), uncounted
