"""Initialisers that need no fans: constants, distributions, orthogonal rows."""

from __future__ import annotations

from typing import final

import torch
from torch import Generator, Tensor
from typing_extensions import override

from neuropil.checks import number
from neuropil.init.base import Fans, Initializer, WithGain, require_matrix, whole_seed


@final
class Constant(Initializer):
    """Fill with a constant value.

    Args:
        value: The value.

    Raises:
        ValueError: If it is not finite.

    Example:
        >>> Constant(0.5)(torch.empty(3))
        tensor([0.5000, 0.5000, 0.5000])
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = number(value, "Constant: value")

    @override
    def draw(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        return values.fill_(self.value)


@final
class Normal(Initializer):
    """Independent draws from N(mean, std²).

    Args:
        mean: The mean.
        std: The standard deviation, at least 0.
        seed: Seed that makes the values the same at every call, regardless of the global state.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> weight = Normal(2.0, 0.1, seed=0)(torch.empty(100, 100))
        >>> round(weight.mean().item(), 2), round(weight.std().item(), 2)
        (2.0, 0.1)
    """

    def __init__(
        self, mean: float = 0.0, std: float = 0.01, *, seed: int | None = None
    ) -> None:
        self.mean = number(mean, "Normal: mean")
        self.std = number(std, "Normal: std", "[0, inf)")
        self.seed = whole_seed(self, seed)

    @override
    def draw(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        return values.normal_(self.mean, self.std, generator=generator)


@final
class Uniform(Initializer):
    """Independent draws from the interval [low, high).

    Args:
        low: Lower end of the interval.
        high: Upper end of the interval, above ``low``.
        seed: Seed that makes the values the same at every call, regardless of the global state.

    Raises:
        ValueError: If the interval is empty or not finite.

    Example:
        >>> weight = Uniform(-1, 3, seed=0)(torch.empty(100, 100))
        >>> weight.min() >= -1, weight.max() < 3, round(weight.mean().item(), 1)
        (tensor(True), tensor(True), 1.0)
    """

    def __init__(self, low: float, high: float, *, seed: int | None = None) -> None:
        self.low = number(low, "Uniform: low")
        self.high = number(high, "Uniform: high")
        if high <= low:
            raise ValueError(f"Uniform: high must be above low, got {low} and {high}.")
        self.seed = whole_seed(self, seed)

    @override
    def draw(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        return values.uniform_(self.low, self.high, generator=generator)


@final
class Orthogonal(WithGain):
    """A random matrix with orthonormal rows or columns (the fewer of both), times the gain.

    ``Q Qᵀ = gain² I`` for a weight with at most as many rows as columns, ``Qᵀ Q = gain² I``
    otherwise; uniform over all such matrices. Axes after the first are flattened.

    Args:
        gain: Value of all singular values; the same as torch's ``gain``.
        seed: Seed that makes the values the same at every call, regardless of the global state.

    Raises:
        ValueError: If ``gain`` is negative or not finite, or the tensor has fewer than 2 axes.

    Reference:
        Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of learning in
        deep linear neural networks", 2014.

    Example:
        >>> Q = Orthogonal()(torch.empty(3, 5))
        >>> torch.allclose(Q @ Q.T, torch.eye(3), atol=1e-6)
        True
    """

    @override
    def draw(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        require_matrix(self, values)
        if values.numel() == 0:
            return values
        normal = values.normal_(generator=generator).flatten(1)
        tall = normal if normal.shape[0] >= normal.shape[1] else normal.T
        Q, R = torch.linalg.qr(tall)
        # Without the signs of R's diagonal, Q would depend on the method of factorisation
        # and not be uniform (Mezzadri 2007).
        Q = Q * R.diagonal().sign()
        Q = Q if normal.shape[0] >= normal.shape[1] else Q.T
        return (self.gain * Q).reshape(values.shape)
