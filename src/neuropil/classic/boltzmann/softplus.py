"""Sums of ``log(1 + eˣ)``, the terms of hidden units in a free energy."""

from __future__ import annotations

from math import log
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuropil.classic.compiled import compile_loop
from neuropil.classic.exponential import exponential

Floats: TypeAlias = NDArray[np.floating[Any]]

# The number of factors, each at most 2, in one product: 2⁶⁴ fits a float32.
FACTORS = 64


@compile_loop(error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def softplus_sums(X: Floats, scale: float) -> NDArray[np.float64]:
    """Return ``Σⱼ log(1 + exp(scale · xᵢⱼ))`` for each row.

    ``log(1 + eˣ) = max(x, 0) + log(1 + e⁻|ˣ|)``; one logarithm is taken of a product of many
    terms.

    Args:
        X: Any numbers, one row per sum.
        scale: Factor of the numbers.
    """
    n, width = X.shape
    one, times = X.dtype.type(1), X.dtype.type(scale)
    sums = np.zeros(n)
    for i in range(n):
        for first in range(0, width, FACTORS):
            product, total = one, X.dtype.type(0)
            for j in range(first, min(first + FACTORS, width)):
                x = times * X[i, j]
                total += max(x, X.dtype.type(0))
                product *= one + exponential(-abs(x))
            sums[i] += total + log(product)
    return sums
