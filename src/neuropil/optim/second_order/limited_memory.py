"""The BFGS direction from the last few steps, without a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence


def two_loops(gradient: Tensor, steps: Sequence[Tensor], changes: Sequence[Tensor]) -> Tensor:
    """Return ``−H g`` with the BFGS matrix H of these pairs, starting from ``sᵀy/yᵀy · I``.

    Args:
        gradient: g.
        steps: Steps s, the latest last.
        changes: The change y of the gradient in each step.

    Reference:
        Nocedal, Wright, "Numerical Optimization", 2006, algorithm 7.4. Ours takes pairs that
        are scaled to ``sᵀy = 1`` and never waits for an accelerator.
    """
    # Starting from −g, the recursion ends at −H g. With sᵀy = 1 every ρ of the book is 1.
    direction = gradient.neg()
    shares: list[Tensor] = []
    for step, change in zip(reversed(steps), reversed(changes), strict=True):
        share = torch.dot(step, direction)
        direction = torch.addcmul(direction, change, share, value=-1)
        shares.append(share)
    # H₀ = sᵀy/yᵀy, ibid. (7.20); sᵀy is 1 here.
    direction = direction / torch.dot(changes[-1], changes[-1])
    for step, change, share in zip(steps, changes, reversed(shares), strict=True):
        direction = torch.addcmul(direction, step, share - torch.dot(change, direction))
    return direction
