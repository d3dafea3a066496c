"""Sums of independent mean squares, with their approximate degrees of freedom."""

from __future__ import annotations

import math
from typing import NamedTuple


class MeanSquare(NamedTuple):
    """An estimate of a variance, or a multiple of one.

    Attributes:
        value: The estimate.
        degrees: Its degrees of freedom.
    """

    value: float
    degrees: float


def add(*parts: MeanSquare, most: float = math.inf) -> MeanSquare:
    """Return a sum of mean squares, with the degrees of freedom (Σ M)² / Σ (M² / d).

    Args:
        parts: The mean squares M with their degrees of freedom d; some may be subtracted.
        most: Largest number of degrees of freedom.

    Reference:
        F. E. Satterthwaite, "An approximate distribution of estimates of variance components",
        Biometrics Bulletin 2 (1946).

    Example:
        >>> add(MeanSquare(2.0, 3.0), MeanSquare(2.0, 3.0))
        MeanSquare(value=4.0, degrees=6.0)
    """
    value = sum(part.value for part in parts)
    if not value:
        return MeanSquare(0.0, most)
    spread = sum((part.value / value) ** 2 / part.degrees for part in parts if part.value)
    return MeanSquare(value, min(1 / spread, most))
