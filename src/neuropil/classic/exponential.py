"""A vectorised exponential function for compiled loops.

The C library's function takes one number at a time, and a loop over kernels or units would
spend most of its time in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

# ln 2 as a sum of two parts; the first has few bits, so that n times it is exact.
LN2_64, REST_64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10
LN2_32, REST_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
# Added to a small number, these leave its nearest whole number in the last bits: at 1.5 · 2⁵²
# (1.5 · 2²³ in single precision) neighbouring floats are 1 apart.
WHOLE_64, WHOLE_32 = 1.5 * 2.0**52, np.float32(1.5 * 2.0**23)


def exponential(x: Any) -> Any:
    """Return ``eˣ`` of a float32 or float64, within 2 units in the last place.

    ``eˣ = 2ⁿ eʳ``, where n is the whole number nearest to x / ln 2 and ``eʳ`` is the best
    polynomial approximation of its degree for ``|r| ≤ ln 2 / 2``. Results that would underflow
    or overflow are clipped to about the smallest or the largest normal number.

    Args:
        x: The exponent. NaN gives NaN.

    Example:
        >>> from numba import njit
        >>> njit(lambda x: exponential(x))(1.0)
        2.718281828459045
    """
    return np.exp(x)


# Reassociation is not allowed here: r would lose its last digits.
@overload(exponential, jit_options={"fastmath": {"contract"}, "error_model": "numpy"})
def compiled_exponential(x: Any) -> Any:
    """Choose the implementation by precision."""
    return {types.float64: double, types.float32: single}.get(x)


def double(x: Any) -> Any:
    """Return ``eˣ`` of a float64: powers of r up to 11."""
    x = -708.0 if x < -708.0 else x
    x = 709.0 if x > 709.0 else x
    # Cody and Waite's reduction: subtracting n ln 2 in two parts loses no digits of r.
    shifted = x * 1.4426950408889634 + WHOLE_64
    n = shifted - WHOLE_64
    r = x - n * LN2_64
    r = r - n * REST_64
    # Horner's scheme, from the highest power.
    p = r * 2.5110049204818659792e-8 + 2.7632654722527791888e-7
    p = p * r + 2.7557240887229868596e-6
    p = p * r + 2.4801485441561312966e-5
    p = p * r + 1.9841269890076402829e-4
    p = p * r + 1.3888888952352862866e-3
    p = p * r + 8.3333333333195896163e-3
    p = p * r + 4.166666666648795252e-2
    p = p * r + 1.666666666666668082e-1
    p = (p * r + 0.5) * r + 1.0
    p = p * r + 1.0
    # Multiply by 2ⁿ by adding n to the exponent bits.
    n_bits = np.float64(shifted).view(np.int64) << np.int64(52)
    return np.int64(np.float64(p).view(np.int64) + n_bits).view(np.float64)


def single(x: Any) -> Any:
    """Return ``eˣ`` of a float32: powers of r up to 6."""
    one, half = np.float32(1), np.float32(0.5)
    x = np.float32(-87) if x < np.float32(-87) else x
    x = np.float32(88) if x > np.float32(88) else x
    shifted = x * np.float32(1.44269504) + WHOLE_32
    n = shifted - WHOLE_32
    r = x - n * LN2_32
    r = r - n * REST_32
    p = r * np.float32(1.3941118895837000816e-3) + np.float32(8.3751347746243251724e-3)
    p = p * r + np.float32(4.1666352771112211265e-2)
    p = p * r + np.float32(1.666641541404117843e-1)
    p = (p * r + half) * r + one
    p = p * r + one
    n_bits = np.int32(np.float32(shifted).view(np.int32) << np.int32(23))
    return np.int32(np.float32(p).view(np.int32) + n_bits).view(np.float32)
