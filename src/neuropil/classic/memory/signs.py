"""Codings of binary patterns: −1 and 1 inside, the user's coding outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from neuropil.classic.base import Bits, Floats


def signs(bits: Bits) -> Floats:
    """Return −1 for 0, and 1 for 1."""
    return 2.0 * bits - 1.0


def lower_value(X: Floats) -> int:
    """Return the value of "off" in patterns: −1 if they consist of −1 and 1, else 0."""
    return -1 if bool((np.abs(X) == 1).all()) and bool((X < 0).any()) else 0


def encode(states: Floats, low: int, dtype: Any) -> Floats:
    """Return states of −1 and 1 in the coding with the smaller value `low`, 0 or −1."""
    return np.where(states > 0, 1, low).astype(dtype)


def follow_fields(states: Floats, fields: Floats, tolerance: float) -> Floats:
    """Return the signs of the fields; where a field is within rounding of 0, the state."""
    return np.where(np.abs(fields) > tolerance, np.sign(fields), states)


def rounding(weights: Floats) -> float:
    """Return a bound on the rounding error of a sum of weights that is exactly 0."""
    largest = max(weights.max(), -weights.min())
    return float(np.sqrt(np.finfo(weights.dtype).eps) * largest)
