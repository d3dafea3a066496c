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

# Weights of the parts of the loss.
OBJECTNESS, BOX, CLASS = 1.0, 5.0, 1.0
# A predictor is weighed by the distance of its objectness from what it is to be, to this power:
# nearly all predictors are far from any box, and soon certain of it.
FOCUS = 2.0
# The weight of the objectness of all predictors of a box together: about their usual number.
SHARE = 3.0


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

    J = (λ_o · Σ over predictors of w · |t − p_c|² · CE(p_c, t) + Σ over boxes of the mean over
    the predictors that are to find it of λ_b · (1 − CIoU) + λ_c · CE(c)) / number of boxes.

    The objectness t of a predictor that is to find a box is the IoU of its box with that one,
    so that the best of several has the highest score; w is 3 / the number of these predictors,
    so that each box counts alike. That of the others is 0 with w = 1, but w = 0 where a box is
    that counts neither for nor against.

    Shape:
        Outputs ``(N, G_h, G_w, k·(5 + p))``, targets ``(N, M, 5)`` to ``(N)``. A picture
        without boxes has the loss of its objectness alone.

    Args:
        outputs: The outputs of a network that ends in `BoxGrid`.
        targets: Rows x₁, y₁, x₂, y₂, class number, in pixels; −1 marks padding, a class below
            it a box that counts neither for nor against.
        head: The predictors.
        objectness: λ_o.
        box: λ_b.
        classes: λ_c.

    Reference:
        Redmon, Divvala, Girshick, Farhadi, "You only look once: unified, real-time object
        detection", 2016. Zheng, Wang, Liu, Li, Ye, Ren, "Distance-IoU loss: faster and better
        learning for bounding box regression", 2020, for CIoU. Li, Wang, Wu, Chen, Hu, Li, Tang,
        Yang, "Generalized focal loss: learning qualified and distributed bounding boxes for
        dense object detection", 2020, equation 2, for the objectness.

    Example:
        >>> from neuropil.vision import GridHead
        >>> head = GridHead(2, strides=(8,), anchors=(((4, 4),),))
        >>> box = torch.tensor([[[9.0, 2.0, 15.0, 6.0, 1.0]]])
        >>> sure = torch.tensor([[[-9.0, 0, 0, 0, 0, 0, 0], [9.0, 0, 0, 0, 0.4577, -9, 9]]])
        >>> detection_loss(sure[None], box, head) < 0.01
        tensor([True])
        >>> detection_loss(-sure[None], box, head) > 9
        tensor([True])
    """
    assigned = assign_boxes(targets, head, (outputs.shape[1], outputs.shape[2]))
    found = boxes_of(targets, assigned).flatten(1, 3)
    assigned = assigned.flatten(1)
    finds = (assigned >= 0) & (found[..., 4] >= 0)
    share = shares(assigned, finds, targets.shape[1]).to(outputs.dtype)
    raw = head.by_predictor(outputs).flatten(1, 3)
    guesses = box_corners(activate(outputs, head), head).flatten(1, 3)
    pairs = finds.nonzero(as_tuple=True)
    guess, true = guesses[pairs], found[pairs]
    overlap = iou(guess.detach(), true[:, :4], paired=True)
    wanted = torch.zeros_like(share).index_put(pairs, overlap.to(share.dtype))
    surprise = F.cross_entropy(raw[pairs][:, BOX_NUMBERS:], true[:, 4].long(), reduction="none")
    misfit = box * (1 - complete_iou(guess, true[:, :4], paired=True)) + classes * surprise
    per_box = share * torch.zeros_like(share).index_put(pairs, misfit)
    weight = torch.where(finds, SHARE * share, (assigned < 0).to(share.dtype))
    entropy = F.binary_cross_entropy_with_logits(raw[..., 0], wanted, reduction="none")
    doubt = (wanted - raw[..., 0].sigmoid()).abs().pow(FOCUS)
    number = share.sum(1).round().clamp(min=1)
    return (per_box + objectness * weight * doubt * entropy).sum(1) / number


def shares(assigned: Tensor, finds: Tensor, boxes: int) -> Tensor:
    """Return the share of each predictor in its box, which add up to 1 for each box.

    Args:
        assigned: The box of each predictor, ``(N, predictors)``; −1 for none.
        finds: Which predictors are to find their box.
        boxes: The number of boxes, found or not.
    """
    rows, one = assigned.clamp(min=0), finds.float()
    together = one.new_zeros(len(one), boxes).scatter_add(1, rows, one)
    return one / together.gather(1, rows).clamp(min=1)
