"""Checks of scored boxes, and the order in which suppression looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np
import torch

from neuropil.vision.boxes.box_forms import as_boxes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class Candidates(NamedTuple):
    """Scored boxes.

    Attributes:
        boxes: Corners, ``(…, 4)``, in float32 or float64, of a size whose square is finite.
        scores: ``(…)``, in float32 or float64.
        classes: ``(…)`` of int64.
    """

    boxes: Tensor
    scores: Tensor
    classes: Tensor


def candidates(what: str, boxes: Any, scores: Any, classes: Any, shape: str) -> Candidates:
    """Return scored boxes once they are checked.

    Args:
        what: Name of the function that got them.
        boxes: Corners.
        scores: One for each box.
        classes: One for each box; None for a single class.
        shape: That of the scores, such as ``"(N)"``, for messages.

    Raises:
        ValueError: If shapes do not fit, a box or a score is NaN, or classes are not integers.
    """
    boxes = as_boxes(boxes, what).detach()
    scores = torch.as_tensor(scores, device=boxes.device).detach()
    if classes is None:
        classes = torch.zeros(scores.shape, dtype=torch.int64, device=boxes.device)
    classes = torch.as_tensor(classes, device=boxes.device)
    if boxes.ndim != shape.count(",") + 2 or not (
        boxes.shape[:-1] == scores.shape == classes.shape
    ):
        raise ValueError(
            f"{what}: boxes must have the shape {shape[:-1]}, 4), scores and classes {shape}; "
            f"got {(*boxes.shape,)}, {(*scores.shape,)} and {(*classes.shape,)}."
        )
    if classes.is_floating_point():
        raise ValueError(f"{what}: classes must be integers, got {classes.dtype}.")
    scores, boxes = in_float32_or_more(scores), in_float32_or_more(boxes)
    limit = torch.finfo(boxes.dtype).max ** 0.5 / 8
    boxes = boxes.clamp(-limit, limit)
    if boxes.sum().isnan() or scores.isnan().any():
        refuse_nan(what, boxes, scores)
    return Candidates(boxes, scores, classes.to(torch.int64))


def refuse_nan(what: str, boxes: Tensor, scores: Tensor) -> NoReturn:
    """Raise an error that names the first box that is not a number, or else the first score.

    Raises:
        ValueError: Always.
    """
    name, numbers = "box", boxes.isnan().any(-1)
    if not numbers.any():
        name, numbers = "score", scores.isnan()
    place = ", ".join(map(str, numbers.nonzero()[0].tolist()))
    raise ValueError(f"{what}: {name} {place} is not a number (NaN).")


def in_float32_or_more(numbers: Tensor) -> Tensor:
    """Return numbers as float64 if they are, and as float32 otherwise."""
    return numbers.to(torch.promote_types(numbers.dtype, torch.float32))


def best_first(scores: NDArray[Any]) -> NDArray[np.int64]:
    """Return the order of scores along the last axis, best first, ties by the lower index."""
    if scores.dtype != np.float32:
        return np.argsort(-scores, axis=-1, kind="stable")
    # Sorting whole numbers is several times as fast as a stable sort of floats: the upper half
    # falls as the score rises, the lower half is the index. Adding 0 makes 0 of -0.
    bits = (scores + np.float32(0)).view(np.int32)
    falling = ~(bits ^ ((bits >> 31) & 0x7FFFFFFF))
    keys = (falling.astype(np.int64) << 32) | np.arange(scores.shape[-1])
    keys.sort(axis=-1)
    return keys & 0xFFFFFFFF
