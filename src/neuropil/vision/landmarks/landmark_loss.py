"""Landmarks as a network gives them, and the loss of their places and visibility."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor

# The wing loss has the form of a logarithm for errors below w, and its curvature is ε, both as
# parts of the longer side of the picture: those of the paper for a side of 256 pixels.
WING, CURVATURE = 10 / 256, 2 / 256
# Weight of the visibility, whose surprise at the start is about 0.7.
VISIBILITY = 0.1


def decode_landmarks(outputs: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the points that a network sees, in pixels.

    x = (1 + t_x)/2 of the width, y = (1 + t_y)/2 of the height, and σ(t_v) is the probability
    that the point is visible and not hidden.

    Shape:
        ``(N, 3P)`` to ``(N, P, 3)``: x, y, probability of visibility.

    Args:
        outputs: t_x, t_y, t_v of each point, as a network gives them.
        size: Height and width of the pictures.

    Example:
        >>> decode_landmarks(torch.tensor([[0.0, -0.5, 0.0]]), (60, 80)).tolist()
        [[[40.0, 15.0, 0.5]]]
    """
    height, width = size
    parts = outputs.unflatten(1, (-1, 3))
    places = (parts[..., :2] + 1) * outputs.new_tensor((width / 2, height / 2))
    return torch.cat([places, parts[..., 2:].sigmoid()], dim=-1)


def landmark_loss(outputs: Tensor, targets: Tensor, size: tuple[int, int]) -> Tensor:
    """Measure how far the points that a network sees are from those in the picture.

    J = mean over the known points of wing(x̂ − x) + wing(ŷ − y) + λ_v CE(v), with errors e as
    parts of the longer side and wing(e) = ln(1 + |e|/ε) for |e| < w, and (|e| − w)/w + ln(1 +
    w/ε) beyond. Near 0 the wing loss is as steep as far away, so small errors still count.
    Missing points count for nothing.

    Shape:
        Outputs ``(N, 3P)``, targets ``(N, P, 3)`` to ``(N)``.

    Args:
        outputs: t_x, t_y, t_v of each point, as a network gives them.
        targets: x and y in pixels, and visibility: 0 missing, 1 hidden, 2 visible.
        size: Height and width of the pictures.

    Raises:
        ValueError: If the shapes do not fit.

    Reference:
        Feng, Kittler, Awais, Huber, Wu, "Wing loss for robust facial landmark localisation with
        convolutional neural networks", 2018. Ours is divided by w, so that its size does not
        depend on that of the picture.

    Example:
        >>> labels = torch.tensor([[[40.0, 15.0, 2.0], [0.0, 0.0, 0.0]]])
        >>> sure = torch.tensor([[0.0, -0.5, 20.0, 0.3, 0.3, 0.0]])
        >>> landmark_loss(sure, labels, (60, 80)) < 1e-6
        tensor([True])
    """
    if targets.shape[2:] != (3,) or outputs.shape != targets.flatten(1).shape:
        raise ValueError(
            f"landmark_loss needs outputs (N, 3P) and targets (N, P, 3), got "
            f"{tuple(outputs.shape)} and {tuple(targets.shape)}."
        )
    state = targets[..., 2]
    known = (state > 0).to(outputs.dtype)
    found = decode_landmarks(outputs, size)[..., :2]
    errors = (found - targets[..., :2]).abs() / max(size)
    near = torch.log1p(errors.clamp(max=WING) / CURVATURE)
    far = (errors - WING).clamp(min=0) / WING
    places = (near + far).sum(dim=-1)
    seen = F.binary_cross_entropy_with_logits(
        outputs.unflatten(1, (-1, 3))[..., 2], (state > 1).to(outputs.dtype), reduction="none"
    )
    each = (places + VISIBILITY * seen) * known
    return each.sum(dim=1) / known.sum(dim=1).clamp(min=1)
