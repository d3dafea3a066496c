"""Base class of the initialisers, and checks of their options."""

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
    """Base class of the initialisers, which fill a tensor in place with initial values.

    A subclass defines `draw`. Calling an initialiser returns the tensor it filled; on the meta
    device it does nothing.

    Example:
        >>> class Identity(Initializer):
        ...     def draw(self, values, generator, fans):
        ...         return torch.eye(*values.shape)
        >>> Identity()(torch.empty(2, 2))
        tensor([[1., 0.],
                [0., 1.]])
    """

    seed: int | None = None
    # The shape of the only parameters that it fills; None if it fills any.
    shape: tuple[int, ...] | None = None

    def __call__(
        self, tensor: Tensor, generator: Generator | None = None, *, fans: Fans | None = None
    ) -> Tensor:
        """Fill the tensor in place.

        Args:
            tensor: Tensor to fill: floating point of any precision, on any device.
            generator: Source of randomness; torch's global state if None. A ``seed`` of the
                initialiser takes precedence.
            fans: ``(fan_in, fan_out)``, if they do not follow from the shape.

        Returns:
            The tensor.

        Raises:
            TypeError: If the tensor is not floating point.
        """
        if tensor.is_meta:
            return tensor
        if not tensor.is_floating_point():
            raise TypeError(f"{self!r} fills floating-point tensors, got {tensor.dtype}.")
        if self.seed is not None:
            generator = Generator().manual_seed(self.seed)
        with torch.no_grad():
            # Half precision is drawn as float32, so that every precision starts from the same
            # values.
            dtype = tensor.dtype if tensor.dtype.itemsize >= 4 else torch.float32
            device = tensor.device if generator is None else generator.device
            own = (tensor.dtype, tensor.device) == (dtype, device) and tensor.is_contiguous()
            # In place if the type is the same: a second copy of a large layer may not fit.
            values = tensor if own else torch.empty(tensor.shape, dtype=dtype, device=device)
            return tensor.copy_(self.draw(values, generator, fans))

    @abstractmethod
    def draw(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        """Return the initial values; may work in place."""


class WithGain(Initializer):
    """Base class of the initialisers with a gain and a seed.

    Args:
        gain: Factor of the values or of their variance.
        seed: Seed that makes the values the same at every call.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self, gain: float = 1.0, *, seed: int | None = None) -> None:
        self.gain = number(gain, f"{type(self).__name__}: gain", "[0, inf)")
        self.seed = whole_seed(self, seed)


def whole_seed(owner: Initializer, seed: object) -> int | None:
    """Return the seed.

    Raises:
        ValueError: If generators do not accept it.
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
    """Raise an error for a shape without an axis of inputs.

    Raises:
        ValueError: If it has fewer than 2 axes.
    """
    if values.dim() < 2:
        raise ValueError(
            f"{owner!r} needs a tensor with at least 2 axes (out, in, *kernel), "
            f"got {tuple(values.shape)}. Give `fans`, or use Normal, Uniform or Constant."
        )
