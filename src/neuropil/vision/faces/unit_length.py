"""Embeddings scaled to unit length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def unit_length(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Return embeddings scaled to unit length, computed in float64.

    Shape:
        ``(N, D)``

    Args:
        rows: The embeddings as float64: finite, and none of them zero.

    Example:
        >>> unit_length(np.array([[0.0, 2.0], [3e300, 4e300]])).round(6).tolist()
        [[0.0, 1.0], [0.6000000238418579, 0.800000011920929]]
    """
    # The largest value is 1 first, so that squares neither overflow nor vanish.
    rows = rows / np.abs(rows).max(axis=1, keepdims=True)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
