"""Mining by tensor operations alone, for accelerators."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

# The number of distances computed at once: 32 MB of floats, and about ten times that with
# what is made of them.
DISTANCES = 2**23


def hardest_on_device(embeddings: Tensor, people: Tensor) -> Tensor:
    """Return the triplets of batch-hard mining, ``(3, triplets)``."""
    parts = []
    for rows, distances, positive, negative in blocks(embeddings, people):
        farthest = distances.masked_fill(~positive, -1).argmax(1)
        nearest = distances.masked_fill(~negative, math.inf).argmin(1)
        usable = positive.any(1) & negative.any(1)
        parts.append(torch.stack([rows, farthest, nearest])[:, usable])
    return torch.cat(parts, 1)


def semi_hard_on_device(embeddings: Tensor, people: Tensor, margin: float) -> Tensor:
    """Return the triplets of semi-hard mining, ``(3, triplets)``."""
    parts = []
    for rows, distances, positive, negative in blocks(embeddings, people):
        of_negatives = distances.masked_fill(~negative, math.inf)
        ordered, order = of_negatives.sort(dim=1, stable=True)
        place = torch.searchsorted(ordered, distances, right=True).clamp(max=len(people) - 1)
        beyond, far = order.gather(1, place), ordered.gather(1, place)
        usable = positive & (far > distances) & (distances - far + margin > 0)
        row, near = usable.nonzero().unbind(1)
        parts.append(torch.stack([rows[row], near, beyond[row, near]]))
    return torch.cat(parts, 1)


def blocks(
    embeddings: Tensor, people: Tensor
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Yield some anchors, their distances to all, and which are their positives and negatives.

    Distances are not computed by products of matrices, which lose the digits of small ones.
    """
    everyone = torch.arange(len(people), device=people.device)
    for rows in everyone.split(max(1, DISTANCES // len(people))):
        distances = torch.cdist(
            embeddings[rows], embeddings, compute_mode="donot_use_mm_for_euclid_dist"
        )
        same = people[rows, None] == people
        yield rows, distances, same & (rows[:, None] != everyone), ~same
