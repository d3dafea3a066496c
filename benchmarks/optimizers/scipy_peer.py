"""SciPy's minimisers on functions of tensors, with their evaluations counted."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.optimize import OptimizeResult, minimize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor


def minimized(
    value: Callable[[Tensor], Tensor], start: Sequence[float], method: str, **options: Any
) -> tuple[OptimizeResult, int]:
    """Return what SciPy found from a start, and how often it asked for value and gradient."""
    evaluations = 0

    def value_and_gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal evaluations
        evaluations += 1
        at = torch.tensor(x, requires_grad=True)
        loss = value(at)
        (gradient,) = torch.autograd.grad(loss, at)
        return float(loss), gradient.numpy()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begin = np.array(start, dtype=float)
        found = minimize(value_and_gradient, begin, jac=True, method=method, options=options)
    return found, evaluations
