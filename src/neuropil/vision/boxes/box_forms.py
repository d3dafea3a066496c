"""Forms of a box: its corners, its centre and size, and both relative to the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor


def to_corners(boxes: Tensor) -> Tensor:
    """Return the corners of boxes that are given by centre and size.

    ``x₁ = c_x − w/2,  y₁ = c_y − h/2,  x₂ = c_x + w/2,  y₂ = c_y + h/2``

    Shape:
        ``(…, 4)`` of c_x, c_y, w, h → ``(…, 4)`` of x₁, y₁, x₂, y₂, in the same unit: pixels,
        or parts of the picture. x runs right and y runs down.

    Args:
        boxes: The boxes; integers become floats.

    Raises:
        ValueError: If the last axis is not of length 4.

    Example:
        >>> import torch
        >>> to_corners(torch.tensor([[50.0, 40.0, 20.0, 10.0]]))
        tensor([[40., 35., 60., 45.]])
    """
    center, size = as_boxes(boxes, "to_corners").split(2, -1)
    return torch.cat([center - size / 2, center + size / 2], -1)


def to_centers(boxes: Tensor) -> Tensor:
    """Return the centre and size of boxes that are given by corners.

    ``c_x = (x₁ + x₂)/2,  c_y = (y₁ + y₂)/2,  w = x₂ − x₁,  h = y₂ − y₁``

    Shape:
        ``(…, 4)`` of x₁, y₁, x₂, y₂ → ``(…, 4)`` of c_x, c_y, w, h, in the same unit.

    Args:
        boxes: The boxes; integers become floats.

    Raises:
        ValueError: If the last axis is not of length 4.

    Example:
        >>> import torch
        >>> to_centers(torch.tensor([[40.0, 35.0, 60.0, 45.0]]))
        tensor([[50., 40., 20., 10.]])
    """
    low, high = as_boxes(boxes, "to_centers").split(2, -1)
    return torch.cat([low + (high - low) / 2, high - low], -1)


def to_relative(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return boxes as parts of their picture: x over its width, y over its height.

    Corners stay corners, and centre and size stay centre and size. A box that covers the whole
    picture has the corners 0, 0, 1, 1.

    Shape:
        ``(…, 4)`` in pixels → ``(…, 4)`` relative.

    Args:
        boxes: The boxes; integers become floats.
        size: Height and width of the picture in pixels, as in the shape ``(C, H, W)``.

    Raises:
        ValueError: If the last axis is not of length 4, or the size not two positive numbers.

    Example:
        >>> import torch
        >>> to_relative(torch.tensor([[0.0, 0.0, 160.0, 120.0]]), (240, 320))
        tensor([[0.0000, 0.0000, 0.5000, 0.5000]])
    """
    boxes = as_boxes(boxes, "to_relative")
    return boxes / scale_of(size, boxes, "to_relative")


def to_pixels(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return boxes in pixels that are given as parts of their picture.

    The inverse of `to_relative`, for corners as for centre and size.

    Shape:
        ``(…, 4)`` relative → ``(…, 4)`` in pixels.

    Args:
        boxes: The boxes.
        size: Height and width of the picture in pixels.

    Raises:
        ValueError: If the last axis is not of length 4, or the size not two positive numbers.

    Example:
        >>> import torch
        >>> to_pixels(torch.tensor([[0.0, 0.0, 0.5, 0.5]]), (240, 320))
        tensor([[  0.,   0., 160., 120.]])
    """
    boxes = as_boxes(boxes, "to_pixels")
    return boxes * scale_of(size, boxes, "to_pixels")


def as_boxes(boxes: Any, what: str) -> Tensor:
    """Return boxes as a tensor of floats.

    Raises:
        ValueError: If the last axis is not of length 4.
    """
    boxes = torch.as_tensor(boxes)
    if not boxes.ndim or boxes.shape[-1] != 4:
        raise ValueError(f"{what}: boxes must have the shape (…, 4), got {(*boxes.shape,)}.")
    return boxes if boxes.is_floating_point() else boxes.to(torch.get_default_dtype())


def scale_of(size: Any, like: Tensor, what: str) -> Tensor:
    """Return width, height, width, height of a picture as a tensor like the boxes.

    Raises:
        ValueError: If the size is not two positive numbers.
    """
    if not (len(size) == 2 and min(size) > 0):
        raise ValueError(
            f"{what}: size must be the height and width of the picture, got {size!r}."
        )
    height, width = size
    return like.new_tensor([width, height, width, height])
