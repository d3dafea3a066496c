"""The contrastive loss: pictures of one person close together, of two people apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from neuropil.checks import number
from neuropil.vision.faces.embedding_pairs import check_shapes, distances

if TYPE_CHECKING:
    from torch import Tensor


def contrastive_loss(
    first: Tensor, second: Tensor, same: Tensor, *, margin: float = 1.0
) -> Tensor:
    """Measure how far pairs of one person are apart, and pairs of two people too close.

    ``½ (y d² + (1 − y) max(m − d, 0)²)`` with the Euclidean distance d, and y = 1 for a pair
    of one person. (The paper writes Y = 0 for it.) The gradient of d is 0 where two embeddings
    are equal.

    Shape:
        ``(N, D)``, ``(N, D)`` and ``(N)`` to ``(N)``, in float64 if the embeddings are, else in
        float32.

    Args:
        first: Embeddings of unit length, such as a `siamese` network gives.
        second: Embeddings to compare with them, row by row.
        same: Whether both are of the same person: True or 1, False or 0.
        margin: m, the distance from which two people are far enough apart.

    Raises:
        ValueError: If the shapes do not fit, a label is not true or false, or the margin is
            not above 0.

    Reference:
        Hadsell, Chopra, LeCun, "Dimensionality reduction by learning an invariant mapping",
        2006, equation 4.

    Example:
        >>> first, second = (
        ...     torch.tensor([[0.0, 0.0], [0.0, 0.0]]),
        ...     torch.tensor([[0.3, 0.4]] * 2),
        ... )
        >>> contrastive_loss(first, second, torch.tensor([True, False]), margin=2.0)
        tensor([0.1250, 1.1250])
    """
    margin = number(margin, "contrastive_loss: margin", "(0, inf)")
    check_shapes("contrastive_loss", first=first, second=second)
    matches = as_matches(same, first)
    distance = distances(first, second)
    apart = (margin - distance).clamp(min=0)
    return torch.where(matches, distance, apart).square() / 2


def as_matches(same: Any, first: Tensor) -> Tensor:
    """Return the labels of pairs as booleans.

    Raises:
        ValueError: If their shape is not ``(N)``, or one is not true or false.
    """
    matches = torch.as_tensor(same, device=first.device)
    if matches.shape != first.shape[:1]:
        raise ValueError(
            f"contrastive_loss needs a label for each of {len(first)} pairs, shape "
            f"({len(first)},), got {tuple(matches.shape)}."
        )
    if matches.dtype == torch.bool:
        return matches
    wrong = ((matches != 0) & (matches != 1)).nonzero()
    if len(wrong):
        pair = int(wrong[0])
        raise ValueError(
            f"contrastive_loss: a label must be true or false, 1 or 0; that of pair {pair} is "
            f"{matches[pair].item()}."
        )
    return matches == 1
