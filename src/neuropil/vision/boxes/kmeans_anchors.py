"""Sizes of anchors that suit given boxes, by k-means on the overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from neuropil.checks import number, whole
from neuropil.vision.boxes.iou import iou as iou_of

if TYPE_CHECKING:
    from torch import Tensor

# Starts of k-means, passes of each, and boxes that take part in them.
STARTS, PASSES, SAMPLE = 5, 100, 10_000


class AnchorFit(NamedTuple):
    """How well anchors suit boxes.

    Attributes:
        sizes: Width and height of the anchors, ``(k, 2)``.
        mean_iou: Mean over the boxes of the IoU with the anchor that suits each best, if both
            have the same centre.
        recall: Best possible recall: the share of boxes whose best IoU reaches the threshold.
    """

    sizes: Tensor
    mean_iou: float
    recall: float


def kmeans_anchors(boxes: Tensor, k: int, *, seed: int = 0, iou: float = 0.5) -> AnchorFit:
    """Return the k sizes of anchors that suit boxes best.

    k-means of widths and heights with the distance ``1 − IoU``, the boxes having one centre;
    Euclidean distance would favour large boxes. The best of several starts is returned, by the
    mean best IoU. If the boxes have fewer than k sizes, anchors repeat.

    Shape:
        boxes ``(N, 4)`` of corners, or ``(N, 2)`` of width and height → sizes ``(k, 2)`` of
        width and height in the same unit, by rising area.

    Args:
        boxes: The boxes of the training part, as the network gets them.
        k: The number of anchors.
        seed: Seed of the starts; the same seed gives the same anchors.
        iou: Overlap that counts for the recall.

    Raises:
        ValueError: If boxes are missing, or one has no area.

    Reference:
        Redmon, Farhadi, "YOLO9000: Better, Faster, Stronger", 2017, §2, "Dimension Clusters".

    Example:
        >>> import torch
        >>> sizes = torch.tensor([[9, 10], [10, 10], [11, 10], [50, 90], [50, 100], [50, 110]])
        >>> fit = kmeans_anchors(sizes, 2)
        >>> fit.sizes
        tensor([[ 10.,  10.],
                [ 50., 100.]])
        >>> print(f"mean IoU {fit.mean_iou:.3f}, recall {fit.recall:.0%}")
        mean IoU 0.936, recall 100%
    """
    sizes = sizes_of(boxes, "kmeans_anchors")
    k = whole(k, "kmeans_anchors: k")
    generator = torch.Generator().manual_seed(whole(seed, "kmeans_anchors: seed", minimum=0))
    sample = sizes[torch.randperm(len(sizes), generator=generator)[:SAMPLE]]
    tried = [refine(sample, first_centers(sample, k, generator)) for _ in range(STARTS)]
    found = max(tried, key=lambda centers: float(best_iou(sample, centers).mean()))
    return measure_anchors(sizes, found[found.prod(1).argsort(stable=True)], iou=iou)


def measure_anchors(boxes: Tensor, sizes: Tensor, *, iou: float = 0.5) -> AnchorFit:
    """Return how well anchors of given sizes suit boxes.

    Shape:
        boxes ``(N, 4)`` of corners, or ``(N, 2)`` of width and height; sizes ``(k, 2)`` of
        width and height in the same unit.

    Args:
        boxes: The boxes.
        sizes: The anchors.
        iou: Overlap that counts for the recall.

    Raises:
        ValueError: If boxes or anchors are missing, or one has no area.

    Example:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0], [5.0, 5.0, 25.0, 9.0]])
        >>> fit = measure_anchors(boxes, torch.tensor([[10.0, 10.0]]))
        >>> print(f"{fit.mean_iou:.3f}, {fit.recall:.0%}")  # 1 and 40 of 140
        0.643, 50%
    """
    given = sizes_of(boxes, "measure_anchors")
    anchors = sizes_of(sizes, "measure_anchors")
    least = number(iou, "measure_anchors: iou", "(0, 1]")
    best = best_iou(given, anchors)
    recall = float((best >= least).double().mean())
    return AnchorFit(anchors.to(torch.get_default_dtype()), float(best.mean()), recall)


def sizes_of(boxes: Any, what: str) -> Tensor:
    """Return width and height of boxes in float64.

    Raises:
        ValueError: If boxes are missing, or one has no area.
    """
    boxes = torch.as_tensor(boxes).detach().to("cpu", torch.float64)
    if boxes.ndim != 2 or boxes.shape[1] not in (2, 4) or not len(boxes):
        raise ValueError(
            f"{what}: boxes must have the shape (N, 4) or (N, 2) with N ≥ 1, "
            f"got {(*boxes.shape,)}."
        )
    sizes = boxes[:, 2:] - boxes[:, :2] if boxes.shape[1] == 4 else boxes
    for row in (~((sizes > 0) & sizes.isfinite()).all(1)).nonzero()[:1, 0].tolist():
        width, height = sizes[row].tolist()
        raise ValueError(f"{what}: box {row} is {width:g} wide and {height:g} high.")
    return sizes


def first_centers(sizes: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Return k of the sizes, drawn one by one, far from those drawn before (k-means++)."""
    rows = [int(torch.randint(len(sizes), (), generator=generator))]
    while len(rows) < k:
        chance = (1 - best_iou(sizes, sizes[rows])).square() + 1e-12
        rows.append(int(torch.multinomial(chance, 1, generator=generator)))
    return sizes[rows]


def refine(sizes: Tensor, centers: Tensor) -> Tensor:
    """Return the best centres of the passes of k-means, which need not improve with each."""
    best, highest = centers, -1.0
    nearest = torch.empty(0)
    for _ in range(PASSES):
        overlap, now = overlaps(sizes, centers).max(1)
        if (mean := float(overlap.mean())) > highest:
            best, highest = centers, mean
        if torch.equal(now, nearest):
            break
        nearest = now
        counts = torch.bincount(now, minlength=len(centers))[:, None]
        sums = torch.zeros_like(centers).index_add_(0, now, sizes)
        centers = torch.where(counts > 0, sums / counts.clamp(min=1), centers)
    return best


def best_iou(sizes: Tensor, anchors: Tensor) -> Tensor:
    """Return the IoU of each box with the anchor that suits it best."""
    return overlaps(sizes, anchors).max(1).values


def overlaps(sizes: Tensor, anchors: Tensor) -> Tensor:
    """Return the IoU of each box with each anchor around the same centre, (N, k)."""
    return iou_of(*(torch.cat([-half, half], 1) for half in (sizes / 2, anchors / 2)))
