"""Initialisers with a variance that depends on the fans: He and Xavier."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, final

from typing_extensions import override

from neuropil.init.base import Fans, WithGain, require_matrix

if TYPE_CHECKING:
    from torch import Generator, Tensor


class FanScaled(WithGain):
    """Base class of the He and Xavier rules, whose variance depends on the fans."""

    @abstractmethod
    def variance(self, fan_in: int, fan_out: int) -> float:
        """Return the variance of one weight."""

    def normal(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        """Fill with N(0, variance)."""
        std = math.sqrt(self.variance(*self.fans(values, fans)))
        return values.normal_(0.0, std, generator=generator)

    def uniform(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        """Fill with uniform draws from (−b, b), whose variance is b²/3."""
        bound = math.sqrt(3 * self.variance(*self.fans(values, fans)))
        return values.uniform_(-bound, bound, generator=generator)

    def fans(self, values: Tensor, fans: Fans | None) -> Fans:
        """Return fan-in and fan-out, as given or from the shape.

        Raises:
            ValueError: If a fan is below 1, or the shape has no axis of inputs.
        """
        if fans is None:
            require_matrix(self, values)
            positions = math.prod(values.shape[2:])
            fans = values.shape[1] * positions, values.shape[0] * positions
        if min(fans) < 1 and values.numel() > 0:
            raise ValueError(f"{self!r} needs fans of at least 1, got {fans}.")
        return max(fans[0], 1), max(fans[1], 1)


class He(FanScaled):
    """The rule of He et al., which preserves the variance of signals in the forward pass."""

    def __init__(self, gain: float = 2.0, *, seed: int | None = None) -> None:
        super().__init__(gain, seed=seed)

    @override
    def variance(self, fan_in: int, fan_out: int) -> float:
        return self.gain / fan_in


class Xavier(FanScaled):
    """The rule of Glorot and Bengio, a compromise between the forward and backward pass."""

    @override
    def variance(self, fan_in: int, fan_out: int) -> float:
        return 2 * self.gain / (fan_in + fan_out)


@final
class HeNormal(He):
    """Normal draws with ``Var(w) = gain / fan_in``, by default ``2 / fan_in``.

    This is the rule of He et al. for maps before a ReLU: the ReLU halves the mean square of the
    signal, and the 2 compensates for it. ``HeNormal()`` is ``torch.nn.init.kaiming_normal_``,
    whose own gain is the square root, √2. ``HeNormal(gain=1)`` is LeCun's rule, for maps
    without an activation after them.

    Shape:
        ``(out, in / groups, *kernel)``, or any shape if ``fans`` are given.

    Args:
        gain: Factor of the variance: 2 before a ReLU, 1 without an activation.
        seed: Seed that makes the values the same at every call, regardless of the global state.

    Raises:
        ValueError: If ``gain`` is negative or not finite, or the fans are unknown.

    Reference:
        He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", 2015, eq. 10.

    Example:
        >>> import torch
        >>> weight = HeNormal(seed=0)(torch.empty(400, 200))  # Var(w) = 2/200
        >>> round(weight.var().item(), 3)
        0.01
    """

    draw = He.normal


@final
class HeUniform(He):
    """Uniform draws from (−b, b) with ``b = √(3 gain / fan_in)``, ``Var(w) = gain / fan_in``.

    ``HeUniform()``, with the gain 2, is the rule of He et al. for ReLU:
    ``torch.nn.init.kaiming_uniform_``, whose own gain is the square root, √2.

    Shape:
        ``(out, in / groups, *kernel)``, or any shape if ``fans`` are given.

    Args:
        gain: Factor of the variance, which is b²/3: 2 before a ReLU, 1 without an activation.
        seed: Seed that makes the values the same at every call, regardless of the global state.

    Raises:
        ValueError: If ``gain`` is negative or not finite, or the fans are unknown.

    Reference:
        He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", 2015, eq. 10.

    Example:
        >>> import torch
        >>> weight = HeUniform(seed=0)(torch.empty(4, 6, 10, 10))  # b² = 3·2/600
        >>> round(weight.abs().max().item(), 2)
        0.1
    """

    draw = He.uniform


@final
class XavierNormal(Xavier):
    """Normal draws with ``Var(w) = 2 gain / (fan_in + fan_out)``.

    ``torch.nn.init.xavier_normal_``, whose own gain is the square root of this one.

    Shape:
        ``(out, in / groups, *kernel)``, or any shape if ``fans`` are given.

    Args:
        gain: Factor of the variance; 1 balances the signal and its gradient.
        seed: Seed that makes the values the same at every call, regardless of the global state.

    Raises:
        ValueError: If ``gain`` is negative or not finite, or the fans are unknown.

    Reference:
        Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural
        networks", 2010, eq. 12.

    Example:
        >>> import torch
        >>> weight = XavierNormal(seed=0)(torch.empty(300, 100))  # Var(w) = 2/400
        >>> round(weight.var().item(), 3)
        0.005
    """

    draw = Xavier.normal


@final
class XavierUniform(Xavier):
    """Uniform draws from (−b, b) with ``b = √(6 gain / (fan_in + fan_out))``.

    ``Var(w) = 2 gain / (fan_in + fan_out)``; ``torch.nn.init.xavier_uniform_``, whose own gain
    is the square root of this one.

    Shape:
        ``(out, in / groups, *kernel)``, or any shape if ``fans`` are given.

    Args:
        gain: Factor of the variance; b grows with its root.
        seed: Seed that makes the values the same at every call, regardless of the global state.

    Raises:
        ValueError: If ``gain`` is negative or not finite, or the fans are unknown.

    Reference:
        Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural
        networks", 2010, eq. 16.

    Example:
        >>> import torch
        >>> weight = XavierUniform(seed=0)(torch.empty(300, 300))  # b² = 6/600
        >>> round(weight.abs().max().item(), 2)
        0.1
    """

    draw = Xavier.uniform
