"""The triplet loss: a person's own picture is nearer than a picture of anybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.checks import number
from neuropil.vision.faces.embedding_pairs import check_shapes, distances

if TYPE_CHECKING:
    from torch import Tensor


def triplet_loss(
    anchors: Tensor, positives: Tensor, negatives: Tensor, *, margin: float = 0.2
) -> Tensor:
    """Measure by how much each triplet misses its margin.

    ``max(d(A, P) − d(A, N) + α, 0)`` with the Euclidean distance d: it is 0 once the negative,
    a picture of another person, is farther from the anchor by α than the positive, another
    picture of the same person. The gradient of d is 0 where two embeddings are equal.

    ``torch.nn.functional.triplet_margin_loss`` adds 1e-6 to each difference before it takes d.

    Shape:
        Three times ``(N, D)`` to ``(N)``, in float64 if the embeddings are, else in float32.

    Args:
        anchors: Embeddings A of unit length, such as a `siamese` network gives.
        positives: Embeddings P of the same people.
        negatives: Embeddings N of other people. `batch_hard_triplets` and `semi_hard_triplets`
            pick the rows.
        margin: α.

    Raises:
        ValueError: If the shapes differ, or the margin is not above 0.

    Reference:
        Schroff, Kalenichenko, Philbin, "FaceNet: a unified embedding for face recognition and
        clustering", 2015, whose distances are squared; Hermans, Beyer, Leibe, "In defense of
        the triplet loss for person re-identification", 2017, for distances that are not.

    Example:
        >>> import torch
        >>> anchor, near, far = torch.tensor([[[1.0, 0.0]], [[0.8, 0.6]], [[0.0, 1.0]]])
        >>> triplet_loss(anchor, near, far)  # 0.632 − 1.414 + 0.2 is below 0
        tensor([0.])
        >>> triplet_loss(anchor, far, near)
        tensor([0.9818])
    """
    margin = number(margin, "triplet_loss: margin", "(0, inf)")
    check_shapes("triplet_loss", anchors=anchors, positives=positives, negatives=negatives)
    return (distances(anchors, positives) - distances(anchors, negatives) + margin).clamp(min=0)
