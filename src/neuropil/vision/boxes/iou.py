"""Overlap of boxes: the intersection over the union, and its three relatives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch

from neuropil.vision.boxes.box_forms import as_boxes

if TYPE_CHECKING:
    from torch import Tensor


def iou(a: Tensor, b: Tensor, *, paired: bool = False) -> Tensor:
    """Return the intersection over the union of boxes.

    ``IoU = |A ∩ B| / |A ∪ B|``, in [0, 1]. It is 1 for equal boxes and 0 for boxes that do not
    overlap. A box without area has IoU 0 with every box, itself included. A box whose second
    corner lies left of its first, or above it, counts as one without area.

    Shape:
        a ``(…, N, 4)`` and b ``(…, M, 4)`` of corners x₁, y₁, x₂, y₂ → ``(…, N, M)``: all
        pairs. Paired: a ``(…, 4)`` and b ``(…, 4)`` → ``(…)``. Leading axes broadcast. Both in
        the same unit; the result does not depend on it.

    Args:
        a: Boxes. Integers become floats; float16 and bfloat16 are computed in float32.
        b: Boxes.
        paired: Compare a[i] with b[i], in place of each box of a with each box of b.

    Raises:
        ValueError: If the last axis is not of length 4, or the shapes do not fit.

    Reference:
        Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge", 2010, §4.2.

    Example:
        >>> import torch
        >>> a = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
        >>> b = torch.tensor([[1.0, 0.0, 3.0, 2.0], [0.0, 0.0, 2.0, 1.0], [5.0, 5.0, 6.0, 6.0]])
        >>> iou(a, b)  # 2 of 6, 2 of 4, nothing
        tensor([[0.3333, 0.5000, 0.0000]])
        >>> iou(a, a, paired=True)
        tensor([1.])
    """
    first, second, dtype = arranged(a, b, "iou", paired=paired)
    return iou_and_union(first, second)[0].to(dtype)


def generalized_iou(a: Tensor, b: Tensor, *, paired: bool = False) -> Tensor:
    """Return the generalised intersection over the union (GIoU) of boxes.

    ``GIoU = IoU − |C ∖ (A ∪ B)| / |C|``, in (−1, 1], where C is the smallest box that encloses
    both. Unlike IoU it has a gradient where the boxes do not overlap.

    Shape:
        As `iou`.

    Args:
        a: Boxes.
        b: Boxes.
        paired: Compare a[i] with b[i], in place of all pairs.

    Raises:
        ValueError: If the last axis is not of length 4, or the shapes do not fit.

    Reference:
        Rezatofighi et al., "Generalized Intersection over Union", 2019, algorithm 1.

    Example:
        >>> import torch
        >>> a = torch.tensor([0.0, 0.0, 1.0, 1.0])
        >>> b = torch.tensor([3.0, 0.0, 4.0, 1.0])
        >>> generalized_iou(a, b, paired=True)  # 0 − (4 − 2) / 4
        tensor(-0.5000)
    """
    first, second, dtype = arranged(a, b, "generalized_iou", paired=paired)
    value, union = iou_and_union(first, second)
    width, height = hull(first, second)
    enclosed = width * height
    return (value - fraction(enclosed - union, enclosed)).to(dtype)


def distance_iou(a: Tensor, b: Tensor, *, paired: bool = False) -> Tensor:
    """Return the distance intersection over the union (DIoU) of boxes.

    ``DIoU = IoU − ρ²/c²``, in (−1, 1], where ρ is the distance of the centres and c the
    diagonal of the smallest box that encloses both. Its gradient pulls the centres together.

    Shape:
        As `iou`.

    Args:
        a: Boxes.
        b: Boxes.
        paired: Compare a[i] with b[i], in place of all pairs.

    Raises:
        ValueError: If the last axis is not of length 4, or the shapes do not fit.

    Reference:
        Zheng et al., "Distance-IoU Loss: Faster and Better Learning for Bounding Box
        Regression", 2020, eq. 7.

    Example:
        >>> import torch
        >>> a = torch.tensor([0.0, 0.0, 2.0, 2.0])
        >>> b = torch.tensor([2.0, 0.0, 4.0, 2.0])
        >>> distance_iou(a, b, paired=True)  # 0 − 2² / (4² + 2²)
        tensor(-0.2000)
    """
    first, second, dtype = arranged(a, b, "distance_iou", paired=paired)
    value, _ = iou_and_union(first, second)
    return (value - distance(first, second)).to(dtype)


def complete_iou(a: Tensor, b: Tensor, *, paired: bool = False) -> Tensor:
    """Return the complete intersection over the union (CIoU) of boxes.

    ``CIoU = DIoU − αv``, in (−2, 1], with ``v = 4/π² · (arctan(w_b/h_b) − arctan(w_a/h_a))²``,
    which compares the aspect ratios, and ``α = v / (1 − IoU + v)``. No gradient flows through
    the weight α, as in the authors' code. ``1 − CIoU`` is a box loss of detectors.

    Shape:
        As `iou`.

    Args:
        a: Boxes.
        b: Boxes.
        paired: Compare a[i] with b[i], in place of all pairs.

    Raises:
        ValueError: If the last axis is not of length 4, or the shapes do not fit.

    Reference:
        Zheng et al., "Distance-IoU Loss: Faster and Better Learning for Bounding Box
        Regression", 2020, eq. 8 to 11.

    Example:
        >>> import torch
        >>> a = torch.tensor([0.0, 0.0, 2.0, 2.0])
        >>> complete_iou(a, torch.tensor([0.0, 0.0, 2.0, 1.0]), paired=True)  # IoU is 1/2
        tensor(0.4655)
    """
    first, second, dtype = arranged(a, b, "complete_iou", paired=paired)
    value, _ = iou_and_union(first, second)
    v = (4 / math.pi**2) * (angle(second) - angle(first)).square()
    with torch.no_grad():
        alpha = fraction(v, 1 - value + v)
    return (value - distance(first, second) - alpha * v).to(dtype)


class Corners(NamedTuple):
    """Coordinates of boxes, a tensor each, whose shapes broadcast with those of other boxes."""

    x1: Tensor
    y1: Tensor
    x2: Tensor
    y2: Tensor
    width: Tensor
    height: Tensor


def arranged(
    a: Tensor, b: Tensor, what: str, *, paired: bool
) -> tuple[Corners, Corners, torch.dtype]:
    """Return two sets of boxes that broadcast to one value per pair, and its dtype.

    Raises:
        ValueError: If the shapes do not fit.
    """
    a, b = as_boxes(a, what), as_boxes(b, what)
    dtype = torch.promote_types(a.dtype, b.dtype)
    working = torch.promote_types(dtype, torch.float32)
    if not paired:
        if a.ndim < 2 or b.ndim < 2:
            raise ValueError(
                f"{what}: boxes must have the shapes (…, N, 4) and (…, M, 4), got "
                f"{(*a.shape,)} and {(*b.shape,)}; paired=True compares row by row."
            )
        a, b = a.unsqueeze(-2), b.unsqueeze(-3)
    try:
        torch.broadcast_shapes(a.shape, b.shape)
    except RuntimeError:
        raise ValueError(
            f"{what}: boxes of the shapes {(*a.shape,)} and {(*b.shape,)} do not broadcast."
        ) from None
    return corners(a.to(working)), corners(b.to(working)), dtype


def corners(boxes: Tensor) -> Corners:
    """Return the coordinates of boxes, none of which ends before it begins.

    They are limited to a size whose square is finite.
    """
    limit = torch.finfo(boxes.dtype).max ** 0.5 / 8
    x1, y1, x2, y2 = boxes.clamp(-limit, limit).movedim(-1, 0).contiguous().unbind()
    x2, y2 = torch.maximum(x1, x2), torch.maximum(y1, y2)
    return Corners(x1, y1, x2, y2, x2 - x1, y2 - y1)


def iou_and_union(a: Corners, b: Corners) -> tuple[Tensor, Tensor]:
    """Return the IoU and the area of the union."""
    width = torch.minimum(a.x2, b.x2) - torch.maximum(a.x1, b.x1)
    height = torch.minimum(a.y2, b.y2) - torch.maximum(a.y1, b.y1)
    common = width.clamp(min=0) * height.clamp(min=0)
    union = a.width * a.height + b.width * b.height - common
    return fraction(common, union), union


def hull(a: Corners, b: Corners) -> tuple[Tensor, Tensor]:
    """Return width and height of the smallest box that encloses both."""
    width = torch.maximum(a.x2, b.x2) - torch.minimum(a.x1, b.x1)
    height = torch.maximum(a.y2, b.y2) - torch.minimum(a.y1, b.y1)
    return width, height


def distance(a: Corners, b: Corners) -> Tensor:
    """Return the squared distance of the centres over the squared diagonal of the hull."""
    twice = ((b.x1 + b.x2) - (a.x1 + a.x2)).square() + ((b.y1 + b.y2) - (a.y1 + a.y2)).square()
    width, height = hull(a, b)
    return fraction(twice / 4, width.square() + height.square())


def fraction(part: Tensor, whole: Tensor) -> Tensor:
    """Return ``part / whole``, or 0 where both are 0, with a finite gradient."""
    return part / whole.masked_fill(whole == 0, 1)


def angle(boxes: Corners) -> Tensor:
    """Return ``arctan(w / h)``, with a finite gradient where both are 0."""
    # The gradient divides by w² + h², which must not underflow.
    least = 4 * torch.finfo(boxes.width.dtype).tiny ** 0.5
    return torch.atan2(boxes.width.clamp(min=least), boxes.height.clamp(min=least))
