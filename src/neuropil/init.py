"""Parameter initialisers: plain data that say how a weight starts, and fill it when called.

Fans come from the shape ``(out, in / groups, *kernel)``: fan-in is the number of inputs that
one output sums, ``shape[1] · ∏ kernel``; fan-out is ``shape[0] · ∏ kernel``.

Torch's gain g multiplies the standard deviation; ours multiplies the variance: ``gain = g²``.
"""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from typing import SupportsIndex, final

import torch
from torch import Generator, Tensor
from typing_extensions import override

from neuropil.checks import number, shown
from neuropil.core.arguments import Arguments

__all__ = [
    "Constant",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "Normal",
    "Orthogonal",
    "Uniform",
    "XavierNormal",
    "XavierUniform",
]

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


@final
class Constant(Initializer):
    """One value everywhere.

    Args:
        value: The value.

    Raises:
        ValueError: If it is not finite.

    Example:
        >>> Constant(0.5)(torch.empty(3))
        tensor([0.5000, 0.5000, 0.5000])
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = finite(self, "value", value)

    @override
    def draw(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        return values.fill_(self.value)


@final
class Normal(Initializer):
    """Independent draws from N(mean, std²).

    Args:
        mean: The centre.
        std: The standard deviation, at least 0.
        seed: Makes the values the same at every call, whatever the global random state.

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
        self.mean = finite(self, "mean", mean)
        self.std = number(std, "Normal: std", "[0, inf)")
        self.seed = whole_seed(self, seed)

    @override
    def draw(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        return values.normal_(self.mean, self.std, generator=generator)


@final
class Uniform(Initializer):
    """Independent draws from the interval [low, high).

    Args:
        low: Where the interval starts.
        high: Where it ends; above ``low``.
        seed: Makes the values the same at every call, whatever the global random state.

    Raises:
        ValueError: If the interval is empty or not finite.

    Example:
        >>> weight = Uniform(-1, 3, seed=0)(torch.empty(100, 100))
        >>> weight.min() >= -1, weight.max() < 3, round(weight.mean().item(), 1)
        (tensor(True), tensor(True), 1.0)
    """

    def __init__(self, low: float, high: float, *, seed: int | None = None) -> None:
        self.low = finite(self, "low", low)
        self.high = finite(self, "high", high)
        if high <= low:
            raise ValueError(f"Uniform: high must be above low, got {low} and {high}.")
        self.seed = whole_seed(self, seed)

    @override
    def draw(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        return values.uniform_(self.low, self.high, generator=generator)


@final
class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns (the fewer of both), times the gain.

    ``Q Qᵀ = gain² I`` for a weight of no more rows than columns, ``Qᵀ Q = gain² I`` otherwise;
    uniform over all such matrices. Axes after the first are taken as one.

    Args:
        gain: Every singular value; here it is torch's ``gain``.
        seed: Makes the values the same at every call, whatever the global random state.

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

    def __init__(self, gain: float = 1.0, *, seed: int | None = None) -> None:
        self.gain = nonnegative_gain(self, gain)
        self.seed = whole_seed(self, seed)

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


class Scaled(Initializer):
    """Draws whose variance follows from the fans: the base of the He and Xavier rules."""

    gain: float

    @abstractmethod
    def variance(self, fan_in: int, fan_out: int) -> float:
        """Return the variance of one weight."""

    def normal(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        """Fill with N(0, variance)."""
        std = math.sqrt(self.variance(*self.fans(values, fans)))
        return values.normal_(0.0, std, generator=generator)

    def uniform(self, values: Tensor, generator: Generator | None, fans: Fans | None) -> Tensor:
        """Fill evenly from (−b, b), whose variance is b²/3."""
        bound = math.sqrt(3 * self.variance(*self.fans(values, fans)))
        return values.uniform_(-bound, bound, generator=generator)

    def fans(self, values: Tensor, fans: Fans | None) -> Fans:
        """Return fan-in and fan-out: as given, or as the shape says.

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


class He(Scaled):
    """The rule of He et al.: keep the size of the signals on the way forward."""

    def __init__(self, gain: float = 2.0, *, seed: int | None = None) -> None:
        self.gain = nonnegative_gain(self, gain)
        self.seed = whole_seed(self, seed)

    @override
    def variance(self, fan_in: int, fan_out: int) -> float:
        return self.gain / fan_in


class Xavier(Scaled):
    """The rule of Glorot and Bengio: a compromise between the ways forward and back."""

    def __init__(self, gain: float = 1.0, *, seed: int | None = None) -> None:
        self.gain = nonnegative_gain(self, gain)
        self.seed = whole_seed(self, seed)

    @override
    def variance(self, fan_in: int, fan_out: int) -> float:
        return 2 * self.gain / (fan_in + fan_out)


@final
class HeNormal(He):
    """Normal draws with ``Var(w) = gain / fan_in``, by default ``2 / fan_in``.

    That is the rule of He et al. for maps that a ReLU follows: it keeps half of the signal's
    mean square, and the 2 makes up for it. ``HeNormal()`` is ``torch.nn.init.kaiming_normal_``,
    whose own gain is the square root, √2. ``HeNormal(gain=1)`` is LeCun's rule, for maps that
    nothing follows.

    Shape:
        ``(out, in / groups, *kernel)``, or any shape if ``fans`` are given.

    Args:
        gain: Factor of the variance: 2 before ReLU, 1 before nothing.
        seed: Makes the values the same at every call, whatever the global random state.

    Raises:
        ValueError: If ``gain`` is negative or not finite, or the fans cannot be told.

    Reference:
        He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", 2015, eq. 10.

    Example:
        >>> weight = HeNormal(seed=0)(torch.empty(400, 200))  # Var(w) = 2/200
        >>> round(weight.var().item(), 3)
        0.01
    """

    draw = He.normal


@final
class HeUniform(He):
    """Even draws from (−b, b) with ``b = √(3 gain / fan_in)``, so ``Var(w) = gain / fan_in``.

    ``HeUniform()``, with the gain 2, is the rule of He et al. for ReLU:
    ``torch.nn.init.kaiming_uniform_``, whose own gain is the square root, √2.

    Shape:
        ``(out, in / groups, *kernel)``, or any shape if ``fans`` are given.

    Args:
        gain: Factor of the variance: 2 before ReLU, 1 before nothing.
        seed: Makes the values the same at every call, whatever the global random state.

    Raises:
        ValueError: If ``gain`` is negative or not finite, or the fans cannot be told.

    Reference:
        He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", 2015, eq. 10.

    Example:
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
        gain: What the variance is multiplied with.
        seed: Makes the values the same at every call, whatever the global random state.

    Raises:
        ValueError: If ``gain`` is negative or not finite, or the fans cannot be told.

    Reference:
        Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural
        networks", 2010, eq. 12.

    Example:
        >>> weight = XavierNormal(seed=0)(torch.empty(300, 100))  # Var(w) = 2/400
        >>> round(weight.var().item(), 3)
        0.005
    """

    draw = Xavier.normal


@final
class XavierUniform(Xavier):
    """Even draws from (−b, b) with ``b = √(6 gain / (fan_in + fan_out))``.

    ``Var(w) = 2 gain / (fan_in + fan_out)``; ``torch.nn.init.xavier_uniform_``, whose own gain
    is the square root of this one.

    Shape:
        ``(out, in / groups, *kernel)``, or any shape if ``fans`` are given.

    Args:
        gain: What the variance is multiplied with.
        seed: Makes the values the same at every call, whatever the global random state.

    Raises:
        ValueError: If ``gain`` is negative or not finite, or the fans cannot be told.

    Reference:
        Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural
        networks", 2010, eq. 16.

    Example:
        >>> weight = XavierUniform(seed=0)(torch.empty(300, 300))  # b² = 6/600
        >>> round(weight.abs().max().item(), 2)
        0.1
    """

    draw = Xavier.uniform


def finite(owner: Initializer, option: str, value: object) -> float:
    """Return the option's value.

    Raises:
        ValueError: If it is not a finite number.
    """
    return number(value, f"{type(owner).__name__}: {option}")


def nonnegative_gain(owner: Initializer, gain: float) -> float:
    """Return the gain.

    Raises:
        ValueError: If no spread can have it.
    """
    return number(gain, f"{type(owner).__name__}: gain", "[0, inf)")


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
