"""Which predictor of a grid is to find which box."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.vision.detection.grid_head import GridHead

# A predictor may find boxes whose centre is up to half a cell outside its own cell.
REACH = 0.5
# A predictor may find boxes up to this many times as long, or as short, as its anchor.
LARGEST_RATIO = 4.0
# The cell of a centre and its four neighbours, as steps in x and y.
STEPS = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
# By how much a predictor a whole cell away from the centre of a box fits it less.
DISTANCE_COST = 0.1


class Candidates(NamedTuple):
    """Predictors that may find boxes.

    Attributes:
        places: Position of the predictor in the grid, row by row, ``(N, M, …)``.
        fits: How well it fits the box, above 0; 0 if it may not find it.
    """

    places: Tensor
    fits: Tensor


def assign_boxes(targets: Tensor, head: GridHead, grid: tuple[int, int]) -> Tensor:
    """Return for each predictor the box that it is to find.

    A box belongs to the predictors of the cell of its centre, and of the cells beside it whose
    border is less than half a cell away: of these predictors, to the one whose anchor is most
    like it, and to all whose sides are at most four times as long or as short. If several boxes
    belong to one predictor, it is to find the one most like its anchor.

    Args:
        targets: The boxes, ``(N, M, 5)``; a class of −1 marks padding.
        head: The predictors.
        grid: Rows and columns of the grid.

    Returns:
        The row of the box in the targets, ``(N, G_h, G_w, k)``; −1 for no box.

    Reference:
        Redmon, Farhadi, "YOLOv3: an incremental improvement", 2018, for the best anchor. The
        neighbouring cells and the limit of four are common in later versions: several
        predictors for each box learn faster.
    """
    n, boxes = targets.shape[:2]
    height, width = grid
    shape = (n, height, width, head.predictors_per_cell)
    found = candidates(targets, head, grid)
    places = torch.cat([each.places.flatten(1) for each in found], dim=1)
    fits = torch.cat([each.fits.flatten(1) for each in found], dim=1)
    rows = torch.arange(boxes, device=targets.device)
    owner = torch.cat(
        [rows[:, None].expand(-1, each.fits[0, 0].numel()).flatten() for each in found]
    ).expand(n, -1)
    best = fits.new_zeros(shape).flatten(1).scatter_reduce(1, places, fits, "amax")
    wins = (fits > 0) & (fits == best.gather(1, places))
    # Of boxes that fit alike the first one is found, on every device.
    first = torch.full_like(best, boxes, dtype=torch.long)
    first = first.scatter_reduce(1, places, torch.where(wins, owner, boxes), "amin")
    return torch.where(first < boxes, first, -1).reshape(shape)


def candidates(targets: Tensor, head: GridHead, grid: tuple[int, int]) -> list[Candidates]:
    """Return for each stride the predictors that may find the boxes.

    Places and fits have shape ``(N, M, steps, anchors)``.
    """
    centers = (targets[..., :2] + targets[..., 2:4]) / 2
    sizes = targets[..., 2:4] - targets[..., :2]
    likeness, allowed = anchor_fit(sizes, head, is_box=targets[..., 4] != -1)
    steps = torch.tensor(STEPS, device=targets.device)
    found: list[Candidates] = []
    start = base = 0
    for stride, ratio, group in zip(head.strides, head.ratios, head.anchors, strict=True):
        anchors = slice(start, start + len(group))
        place = centers / stride
        cells = place.floor().long()[:, :, None] + steps
        away = place[:, :, None] - cells - 0.5  # from the middle of the cell
        lengths = torch.tensor((grid[1] * ratio, grid[0] * ratio), device=targets.device)
        inside = ((cells >= 0) & (cells < lengths)).all(-1)
        near = (away.abs() < 0.5 + REACH).all(-1) & inside
        fits = 1 + likeness[:, :, None, anchors] - DISTANCE_COST * away.norm(dim=-1)[..., None]
        may = near[..., None] & allowed[:, :, None, anchors]
        x, y = torch.where(inside[..., None], cells, 0).unbind(-1)
        sub_cell = (y % ratio) * ratio + x % ratio
        cell = (y // ratio) * grid[1] + x // ratio
        first = cell * head.predictors_per_cell + base + sub_cell * len(group)
        own = torch.arange(len(group), device=targets.device)
        found.append(Candidates(first[..., None] + own, torch.where(may, fits, 0)))
        start, base = start + len(group), base + ratio * ratio * len(group)
    return found


def anchor_fit(sizes: Tensor, head: GridHead, *, is_box: Tensor) -> tuple[Tensor, Tensor]:
    """Return the IoU of boxes with all anchors about one centre, and which may find them.

    Args:
        sizes: Width and height of the boxes, ``(N, M, 2)``.
        head: The predictors.
        is_box: Which rows are boxes, ``(N, M)``.

    Returns:
        Two tensors ``(N, M, anchors)``, anchors of all strides in order.
    """
    anchors = sizes.new_tensor([anchor for group in head.anchors for anchor in group])
    sizes = sizes[:, :, None].clamp(min=torch.finfo(sizes.dtype).tiny)
    common = torch.minimum(sizes, anchors).prod(-1)
    likeness = common / (sizes.prod(-1) + anchors.prod(-1) - common)
    ratio = torch.maximum(sizes / anchors, anchors / sizes).amax(-1)
    best = likeness.argmax(-1, keepdim=True)
    allowed = (ratio < LARGEST_RATIO).scatter(-1, best, value=True)
    return likeness, allowed & is_box[..., None]
