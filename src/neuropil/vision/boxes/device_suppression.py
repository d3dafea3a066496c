"""Non-max suppression by tensor operations alone, for accelerators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from neuropil.vision.boxes.iou import iou as iou_of

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.vision.boxes.candidates import Candidates

# The number of candidates compared with each other at once: 16 MB for each matrix of floats.
BLOCK = 2048


def suppress_on_device(given: Candidates, score: float, iou: float, most: int) -> Tensor:
    """Return the kept indices of each picture: what the compiled loops return."""
    kept = given.classes.new_full((given.boxes.shape[0], most), -1)
    least, limit = given.scores.new_tensor(score), given.boxes.new_tensor(iou)
    for picture, (boxes, scores, classes) in enumerate(zip(*given, strict=True)):
        order = scores.argsort(descending=True, stable=True)
        order = order[scores[order] >= least]
        found = order[keep_best(boxes[order], classes[order], limit, most)]
        kept[picture, : found.shape[0]] = found
    return kept


def keep_best(boxes: Tensor, classes: Tensor, limit: Tensor, most: int) -> Tensor:
    """Return the indices kept of boxes that stand best first, block by block."""
    kept = classes.new_empty(0)
    rows = torch.arange(boxes.shape[0], device=boxes.device)

    def drops(better: Tensor, worse: Tensor) -> Tensor:
        overlap = iou_of(boxes[better], boxes[worse]) >= limit
        return overlap & (classes[better, None] == classes[worse])

    for block in rows.split(BLOCK):
        for better in kept.split(BLOCK):
            block = block[~drops(better, block).any(0)]
        kept = torch.cat([kept, block[undropped(drops(block, block).triu(1))]])
        if kept.shape[0] >= most:
            break
    return kept[:most]


def undropped(drops: Tensor) -> Tensor:
    """Return which boxes stay, given which better box would drop which.

    A box stays if no box that stays drops it. The best box stays; with every pass, at least one
    box more has its final value, and mostly all of a depth.
    """
    stays = ~drops.any(0)
    while not torch.equal(stays, now := ~(drops & stays[:, None]).any(0)):
        stays = now
    return stays
