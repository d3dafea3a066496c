"""The losses of detection, and of classification with localisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from neuropil.vision.boxes.iou import complete_iou, iou
from neuropil.vision.detection.assignment import assign_boxes
from neuropil.vision.detection.encoding import activate, box_corners, boxes_of
from neuropil.vision.detection.grid_head import BOX_NUMBERS

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.vision.detection.grid_head import GridHead

# Weights of the parts of the loss. The objectness is a mean over all predictors, of which one
# in a hundred or so is to find a box; the others are means over those.
OBJECTNESS, BOX, CLASS = 20.0, 1.0, 0.5


def detection_loss(
    outputs: Tensor,
    targets: Tensor,
    head: GridHead,
    *,
    objectness: float = OBJECTNESS,
    box: float = BOX,
    classes: float = CLASS,
) -> Tensor:
    """Measure how far the boxes of a grid's predictors are from the true ones.

    J = λ_o · mean over all predictors of CE(p_c, IoU) + mean over those that are to find a box
    of λ_b · (1 − CIoU) + λ_c · CE(c). The objectness of a predictor that is to find a box is to
    be the IoU of its box with that one, so that the best of several has the highest score; that
    of the others is to be 0, except where a box is that counts neither for nor against.

    Shape:
        Outputs ``(N, G_h, G_w, k·(5 + p))``, targets ``(N, M, 5)`` to ``(N)``. A picture
        without boxes has the loss of its objectness alone.

    Args:
        outputs: What a network gives that ends in `BoxGrid`.
        targets: Rows x₁, y₁, x₂, y₂, class number, in pixels; −1 is no box, a class below it a
            box that counts neither for nor against.
        head: The predictors.
        objectness: λ_o.
        box: λ_b.
        classes: λ_c.

    Reference:
        Redmon, Divvala, Girshick, Farhadi, "You only look once: unified, real-time object
        detection", 2016; Zheng, Wang, Liu, Li, Ye, Ren, "Distance-IoU loss: faster and better
        learning for bounding box regression", 2020, for CIoU.

    Example:
        >>> from neuropil.vision import GridHead
        >>> head = GridHead(2, strides=(8,), anchors=(((4, 4),),))
        >>> box = torch.tensor([[[9.0, 2.0, 15.0, 6.0, 1.0]]])
        >>> sure = torch.tensor([[[-9.0, 0, 0, 0, 0, 0, 0], [9.0, 0, 0, 0, 0.4577, -9, 9]]])
        >>> detection_loss(sure[None], box, head) < 0.1
        tensor([True])
        >>> detection_loss(-sure[None], box, head) > 90
        tensor([True])
    """
    assigned = assign_boxes(targets, head, (outputs.shape[1], outputs.shape[2]))
    found = boxes_of(targets, assigned).flatten(1, 3)
    assigned = assigned.flatten(1)
    finds = (assigned >= 0) & (found[..., 4] >= 0)
    counts = (assigned < 0) | finds
    raw = head.by_predictor(outputs).flatten(1, 3)
    guesses = box_corners(activate(outputs, head), head).flatten(1, 3)
    pairs = finds.nonzero(as_tuple=True)
    guess, true = guesses[pairs], found[pairs]
    overlap = iou(guess.detach(), true[:, :4], paired=True)
    wanted = torch.zeros_like(raw[..., 0]).index_put(pairs, overlap.to(raw.dtype))
    per_predictor = F.binary_cross_entropy_with_logits(raw[..., 0], wanted, reduction="none")
    surprise = F.cross_entropy(raw[pairs][:, BOX_NUMBERS:], true[:, 4].long(), reduction="none")
    per_box = box * (1 - complete_iou(guess, true[:, :4], paired=True)) + classes * surprise
    sums = torch.zeros_like(per_predictor).index_put(pairs, per_box).sum(1)
    return objectness * (per_predictor * counts).mean(1) + sums / finds.sum(1).clamp(min=1)
