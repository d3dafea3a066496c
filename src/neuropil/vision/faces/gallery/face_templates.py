"""Templates: the unit vectors that represent people, and their distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.checks import shown
from neuropil.vision.faces.unit_length import unit_length

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST_NUMBERS = 65_536
"""The largest size of an embedding."""


def template_of(embeddings: ArrayLike) -> NDArray[np.float32]:
    r"""Return the template of a person: the direction of the mean of unit vectors.

    $$ t = \bar u / \lVert \bar u \rVert, \quad
       \bar u = \tfrac{1}{K} \sum_k e_k / \lVert e_k \rVert $$

    Args:
        embeddings: One embedding or several of the same person.

    Shape:
        (D,) or (K, D) → (D,)

    Raises:
        ValueError: If they are not such vectors, or cancel each other.

    Example:
        >>> template_of([[2, 0], [0, 0.5]])
        array([0.7071..., 0.7071...], dtype=float32)
    """
    unit, _ = unit_rows(embeddings)
    mean = unit.astype(float).mean(0)
    length = np.linalg.norm(mean)
    if length < 1e-3:  # rounding would decide its direction
        raise ValueError("the embeddings cancel each other: they are not of one person.")
    return (mean / length).astype(np.float32)


def unit_rows(embeddings: ArrayLike) -> tuple[NDArray[np.float32], bool]:
    """Return embeddings scaled to unit length, and whether it was one vector.

    Shape:
        (D,) → (1, D); (N, D) → (N, D)

    Raises:
        ValueError: If they are not vectors of finite numbers, or one is zero.
    """
    try:
        array = np.asarray(embeddings, float)
    except (TypeError, ValueError):
        raise ValueError(f"embeddings must be numbers, got {shown(embeddings)}.") from None
    if array.ndim not in {1, 2} or not 0 < array.shape[-1] <= MOST_NUMBERS:
        raise ValueError(
            "embeddings must have the shape (D,) or (K, D), with D from 1 to "
            f"{MOST_NUMBERS:,}, got {array.shape}."
        )
    rows = np.atleast_2d(array)
    if not len(rows):
        raise ValueError(f"there must be at least one embedding, got the shape {array.shape}.")
    if not np.isfinite(rows).all():
        raise ValueError("an embedding has numbers that are infinite or NaN.")
    if not rows.any(axis=1).all():
        raise ValueError("an embedding is zero: it has no direction.")
    return unit_length(rows), array.ndim == 1


def distances(
    templates: NDArray[np.float32], query: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the Euclidean distances from templates to a unit vector, from 0 to 2.

    Shape:
        (N, D) and (D,) → (N,)
    """
    return np.linalg.norm(templates.astype(float) - query.astype(float), axis=1)
