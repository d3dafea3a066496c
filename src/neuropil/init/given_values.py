"""Initial values given as an array."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import torch
from torch import Generator, Tensor
from typing_extensions import override

from neuropil.core.shape import ShapeError, format_shape
from neuropil.init.base import Fans, Initializer


@final
class GivenValues(Initializer):
    """Copy the values of an array, which a layer was given in place of an initialiser.

    Args:
        values: A NumPy array, a tensor, or anything that NumPy reads as an array.
        what: Name of the option, for error messages.

    Raises:
        ValueError: When it does not hold finite real numbers, or is part of a computation.

    Example:
        >>> GivenValues([[1.0, 2.0]], "Linear: weight")(torch.empty(1, 2))
        tensor([[1., 2.]])
    """

    def __init__(self, values: Any, what: str) -> None:
        self.what = what
        self.values = as_tensor(values, what)
        self.shape = tuple(self.values.shape)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Return the values, so that a layer that was given this saves and prints as others."""
        return np.array(self.values.cpu().numpy(), dtype=dtype)

    @override
    def draw(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        given, wanted = (format_shape(tuple(each.shape)) for each in (self.values, values))
        if given != wanted:
            raise ShapeError(
                f"{self.what} is an array of shape {given}, and the parameter has shape "
                f"{wanted}."
            )
        return values.copy_(self.values)


def as_tensor(values: Any, what: str) -> Tensor:
    """Return a copy of an array as a tensor.

    Raises:
        ValueError: When it does not hold finite real numbers, or is part of a computation.
    """
    if isinstance(values, Tensor):
        if values.grad_fn is not None:
            raise ValueError(
                f"{what} is a tensor that was computed from parameters: give it detached, as "
                f"values.detach()."
            )
        tensor = values.detach().clone()
    else:
        array = np.array(values)
        if array.dtype.kind not in "iuf":
            raise ValueError(f"{what} must hold real numbers, got an array of {array.dtype}.")
        tensor = torch.from_numpy(array)
    if tensor.is_complex() or tensor.dtype is torch.bool:
        raise ValueError(f"{what} must hold real numbers, got a tensor of {tensor.dtype}.")
    if not tensor.isfinite().all():
        raise ValueError(f"{what} must hold finite numbers, got an array with NaN or infinity.")
    return tensor
