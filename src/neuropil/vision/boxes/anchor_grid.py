"""Anchors on a grid: the boxes that a detector starts from at each cell of a feature map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from neuropil.checks import number, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def anchor_grid(
    shape: tuple[int, int],
    stride: float,
    sizes: Sequence[float | Sequence[float]] | Tensor,
    *,
    ratios: Sequence[float] = (1.0,),
    device: torch.device | str | None = None,
) -> Tensor:
    """Return the anchors of a feature map as corners.

    Every cell has an anchor for each size and each ratio, around its centre: cell (i, j) is the
    square of the picture from ``(j, i) · stride`` to ``(j + 1, i + 1) · stride``. The anchor of
    size (w, h) and ratio r is ``w / √r`` wide and ``h · √r`` high, so that all ratios have the
    same area.

    Shape:
        ``(H, W, K, 4)`` of x₁, y₁, x₂, y₂ in pixels of the picture, with K = sizes · ratios;
        the ratios of the first size come first. Anchors at the border stick out of the picture.

    Args:
        shape: Height H and width W of the feature map.
        stride: Pixels of the picture per cell.
        sizes: Side of a square in pixels, or (w, h), for each size, as `kmeans_anchors` finds.
        ratios: Height over width, relative to that of the size.
        device: Where the anchors are needed.

    Raises:
        ValueError: If sizes or ratios are empty, or a length is not positive.

    Reference:
        Ren et al., "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal
        Networks", 2015, §3.1.1.

    Example:
        >>> anchors = anchor_grid((2, 3), 16, [32, 64], ratios=[0.5, 1, 2])
        >>> anchors.shape
        torch.Size([2, 3, 6, 4])
        >>> anchors[0, 1, 1]  # of size 32 and ratio 1, around (24, 8)
        tensor([ 8., -8., 40., 24.])
    """
    height, width = (whole(n, "anchor_grid: shape") for n in shape)
    stride = number(stride, "anchor_grid: stride", "(0, inf)")
    if not (len(sizes) and len(ratios)):
        raise ValueError("anchor_grid: at least one size and one ratio are needed.")
    stretch = torch.tensor([positive(ratio, "ratios") for ratio in ratios]).sqrt()
    sides = torch.tensor([[positive(side, "sizes") for side in pair(size)] for size in sizes])
    half = torch.stack([sides[:, :1] / stretch, sides[:, 1:] * stretch], -1).reshape(-1, 2) / 2
    x, y = ((torch.arange(n) + 0.5) * stride for n in (width, height))
    center = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).unsqueeze(-2)
    return torch.cat([center - half, center + half], -1).to(device)


def pair(size: Any) -> tuple[Any, Any]:
    """Return width and height of a size, of which one number is the side of a square."""
    size = size.tolist() if hasattr(size, "tolist") else size
    width, height = size if isinstance(size, list | tuple) else (size, size)
    return width, height


def positive(value: Any, option: str) -> float:
    """Return a positive number."""
    return number(value, f"anchor_grid: {option}", "(0, inf)")
