"""The one-object case of detection: whether there is an object, its box and its class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from neuropil.vision.boxes.box_forms import to_corners
from neuropil.vision.boxes.iou import complete_iou
from neuropil.vision.detection.grid_head import BOX_NUMBERS

if TYPE_CHECKING:
    from torch import Tensor

# Weight of the box, whose loss is at most 2 while those of p_c and of the class may be larger.
BOX = 5.0


def decode_location(outputs: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the object that each picture shows: p_c, its box and its class probabilities.

    p_c = σ(t_c); the centre of the box is at σ(t_x), σ(t_y) of the width and height of the
    picture, and its height and width are σ(t_h), σ(t_w) of them; c = softmax(t).

    Shape:
        ``(N, 5 + p)`` to ``(N, 5 + p)``: p_c; x₁, y₁, x₂, y₂ in pixels; c_1 … c_p.

    Args:
        outputs: t_c, t_x, t_y, t_h, t_w and the class scores, as a network gives them.
        size: Height and width of the pictures.

    Example:
        >>> decode_location(torch.zeros(1, 7), (60, 80)).tolist()
        [[0.5, 20.0, 15.0, 60.0, 45.0, 0.5, 0.5]]
    """
    height, width = size
    form = outputs[:, [1, 2, 4, 3]].sigmoid()  # b_h comes before b_w
    boxes = to_corners(form * outputs.new_tensor((width, height, width, height)))
    classes = outputs[:, BOX_NUMBERS:].softmax(-1)
    return torch.cat((outputs[:, :1].sigmoid(), boxes, classes), dim=-1)


def localisation_loss(
    outputs: Tensor, targets: Tensor, size: tuple[int, int], *, box: float = BOX
) -> Tensor:
    """Measure how far the object that a network sees is from the one in the picture.

    J = CE(p_c) for a picture without an object, where the box and the class do not matter; else
    J = CE(p_c) + λ_b · (1 − CIoU) + CE(c).

    Shape:
        Outputs ``(N, 5 + p)``, targets ``(N, M, 5)`` to ``(N)``.

    Args:
        outputs: t_c, t_x, t_y, t_h, t_w and the class scores, as a network gives them.
        targets: Rows x₁, y₁, x₂, y₂, class number, in pixels; the first row is the object, and
            a negative class is none.
        size: Height and width of the pictures.
        box: λ_b.

    Reference:
        Zheng, Wang, Liu, Li, Ye, Ren, "Distance-IoU loss: faster and better learning for
        bounding box regression", 2020, for CIoU.

    Example:
        >>> box = torch.tensor([[[20.0, 15.0, 60.0, 45.0, 1.0]], [[-1.0] * 5]])
        >>> sure = torch.tensor([[9.0, 0, 0, 0, 0, -9, 9], [-9.0, 0, 0, 0, 0, 0, 0]])
        >>> localisation_loss(sure, box, (60, 80)) < 0.001
        tensor([True, True])
    """
    true = targets[:, 0]
    present = true[:, 4] >= 0
    guess = decode_location(outputs, size)[:, 1:BOX_NUMBERS]
    number = true[:, 4].clamp(min=0).long()
    surprise = F.cross_entropy(outputs[:, BOX_NUMBERS:], number, reduction="none")
    where = box * (1 - complete_iou(guess, true[:, :4], paired=True))
    seen = F.binary_cross_entropy_with_logits(
        outputs[:, 0], present.to(outputs.dtype), reduction="none"
    )
    return seen + torch.where(present, where + surprise, 0)
