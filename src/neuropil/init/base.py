"""Base class of the initialisers, and the checks of their options."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from typing import SupportsIndex

import torch
from torch import Generator, Tensor

from neuropil.checks import number, shown
from neuropil.core.arguments import Arguments

Fans = tuple[int, int]


class Initializer(Arguments, ABC):
    """Fill a tensor in place with starting values: the base of all initialisers.

    A subclass gives `draw`. Calling an initialiser returns the tensor it filled; on the meta
    device, where there is nothing to fill, it returns at once.

    Example:
        >>> class Identity(Initializer):
        ...     def draw(self, values, generator, fans):
        ...         return torch.eye(*values.shape)
        >>> Identity()(torch.empty(2, 2))
        tensor([[1., 0.],
                [0., 1.]])
    """

    seed: int | None = None

    def __call__(
        self, tensor: Tensor, generator: Generator | None = None, *, fans: Fans | None = None
    ) -> Tensor:
        """Fill the tensor in place.

        Args:
            tensor: What to fill: floating point, of any precision, on any device.
            generator: Where the randomness comes from; torch's global state if None. An own
                ``seed`` comes before it.
            fans: ``(fan_in, fan_out)``, where the shape does not tell them.

        Returns:
            The tensor.

        Raises:
            TypeError: If the tensor is not of floating point.
        """
        if tensor.is_meta:
            return tensor
        if not tensor.is_floating_point():
            raise TypeError(f"{self!r} fills floating-point tensors, got {tensor.dtype}.")
        if self.seed is not None:
            generator = Generator().manual_seed(self.seed)
        with torch.no_grad():
            # Halves are drawn as float32, so that every precision starts from the same values.
            dtype = tensor.dtype if tensor.dtype.itemsize >= 4 else torch.float32
            device = tensor.device if generator is None else generator.device
            own = (tensor.dtype, tensor.device) == (dtype, device) and tensor.is_contiguous()
            # In place where that is the same: a second copy of a large layer may not fit.
            values = tensor if own else torch.empty(tensor.shape, dtype=dtype, device=device)
            return tensor.copy_(self.draw(values, generator, fans))

    @abstractmethod
    def draw(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        """Return the values to start from; may work in place."""


def finite(owner: Initializer, option: str, value: object) -> float:
    """Return the option's value.

    Raises:
        ValueError: If it is not a finite number.
    """
    return number(value, f"{type(owner).__name__}: {option}")


def whole_seed(owner: Initializer, seed: object) -> int | None:
    """Return the seed.

    Raises:
        ValueError: If it is one that no generator takes.
    """
    if seed is None:
        return None
    if (
        isinstance(seed, bool)
        or not isinstance(seed, SupportsIndex)
        or not 0 <= operator.index(seed) < 2**63
    ):
        raise ValueError(
            f"{type(owner).__name__}: seed must be a whole number from 0, got {shown(seed)}."
        )
    return operator.index(seed)


def require_matrix(owner: Initializer, values: Tensor) -> None:
    """Refuse a shape that has no axis of inputs.

    Raises:
        ValueError: If it has fewer than 2 axes.
    """
    if values.dim() < 2:
        raise ValueError(
            f"{owner!r} needs a tensor of at least 2 axes (out, in, *kernel), "
            f"got {tuple(values.shape)}. Give `fans`, or use Normal, Uniform or Constant."
        )


def nonnegative_gain(owner: Initializer, gain: float) -> float:
    """Return the gain.

    Raises:
        ValueError: If no spread can have it.
    """
    return number(gain, f"{type(owner).__name__}: gain", "[0, inf)")
