"""Targets that have a place in a picture move along when the picture is resized."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neuropil.datasets.augmentation.matrices import stretch
from neuropil.datasets.target import Target

if TYPE_CHECKING:
    from torch import Tensor


def collate_resized(
    target: Target, labels: Any, where: str, own: Any, sizes: Any, notes: list[str]
) -> Tensor:
    """Return labels as one tensor, in the pixels of resized pictures.

    Args:
        target: Their kind.
        labels: One label per picture, in the pixels of its file.
        where: Their source, for the error.
        own: Height and width of each file, ``(N, 2)``.
        sizes: Height and width to which it is resized, ``(N, 2)``, or one size for all.
        notes: Gains a line if targets are lost.
    """
    found = target.collate_resized(labels, where, own, sizes)
    if found is not None:
        return found
    return move_along(target, target.collate(labels, where), own, sizes, notes)


def move_along(
    target: Target, targets: Tensor, own: Any, sizes: Any, notes: list[str]
) -> Tensor:
    """Return targets in the pixels of resized pictures.

    Args:
        target: Their kind; targets without a place are returned unchanged.
        targets: One target per picture, in the pixels of its file.
        own: Height and width of each file, ``(N, 2)``.
        sizes: Height and width to which it is resized, ``(N, 2)``, or one size for all.
        notes: Gains a line if targets are lost.
    """
    if type(target).move is Target.move:
        return targets
    own = np.asarray(own, np.float64).reshape(-1, 2)
    sizes = np.broadcast_to(np.asarray(sizes), own.shape)
    moved = targets.clone()
    resized = (own != sizes).any(axis=1)
    for size in np.unique(sizes[resized], axis=0):
        found = np.flatnonzero(resized & (sizes == size).all(axis=1))
        down, right = torch.from_numpy(size / own[found]).T
        none = torch.zeros_like(down)
        matrix = stretch(right, down, none, none)
        rows = torch.from_numpy(found)
        part = target.move(targets[rows], matrix, (int(size[0]), int(size[1])))
        moved[rows] = target.crop(part, (moved.shape[-2], moved.shape[-1]))
    lost = target.lost(targets, moved)
    notes += [lost] if lost else []
    return moved
