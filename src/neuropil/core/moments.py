"""Mean and standard deviation in double precision, and the resolution of float types."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

MOST_ROWS, MOST_NUMBERS = 4096, 2**20
"""Examples are converted in parts of at most this many, or of this many numbers."""
TOLERATED = 1e-4
"""The largest harmless rounding error of a value, in standard deviations."""
SINGLE = torch.finfo(torch.float32)
STEPS = 16
"""A type does not resolve a spread of fewer of its steps than this."""
ROUNDING = 4 * torch.finfo(torch.float64).eps
"""A spread below this fraction of the mean is rounding error, not variation."""


def moments(
    examples: Tensor, axes: list[int], weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the mean and the standard deviation over some axes, kept with length 1.

    The sums are taken of z = (x − centre) / half-range, from −1 to 1: this avoids cancellation
    far from zero, and overflow and underflow at extreme scales. Examples are converted in
    chunks, so that images stay in bytes.

    Args:
        examples: Numbers of any type, at least one.
        axes: The axes to sum over, including axis 0.
        weights: The weight of each example, not all zero; None is 1 for all.
    """
    center, unit = span(examples, axes)
    total, square = torch.zeros_like(center), torch.zeros_like(center)
    count = examples.numel() / center.numel()
    if weights is not None:
        weights = weights.double().reshape(-1, *[1] * (examples.ndim - 1))
        count = count * weights.mean()
    part = rows_per_part(examples)
    for start in range(0, len(examples), part):
        values = (examples[start : start + part].double() - center) / unit
        squares = values.square()
        if weights is not None:
            weight = weights[start : start + part]
            values, squares = values * weight, squares * weight
        total += values.sum(axes, keepdim=True)
        square += squares.sum(axes, keepdim=True)
    shift = total / count
    deviation = (square / count - shift.square()).clamp(min=0).sqrt()
    return center + unit * shift, unit * deviation


def span(examples: Tensor, axes: list[int]) -> tuple[Tensor, Tensor]:
    """Return the middle of the values and half their range, or 1 if all are equal."""
    if examples.dtype == torch.uint8:
        shape = [1 if axis in axes else n for axis, n in enumerate(examples.shape)]
        middle = torch.full(shape, 127.5, dtype=torch.float64, device=examples.device)
        return middle, middle
    ends = [ends_of(part.double(), axes) for part in examples.split(rows_per_part(examples))]
    low = torch.stack([least for least, _ in ends]).amin(0)
    high = torch.stack([most for _, most in ends]).amax(0)
    half = high / 2 - low / 2  # the full range may overflow
    return low + half, torch.where(half > 0, half, 1.0)


def rows_per_part(examples: Tensor) -> int:
    """Return the number of examples that are converted to double precision at once."""
    return max(1, min(MOST_ROWS, MOST_NUMBERS // max(1, examples[0].numel())))


def ends_of(values: Tensor, axes: list[int]) -> tuple[Tensor, Tensor]:
    """Return the smallest and the largest value over some axes."""
    return values.amin(axes, keepdim=True), values.amax(axes, keepdim=True)


def usable_scale(mean: Tensor, deviation: Tensor) -> Tensor:
    """Return the standard deviations to divide by, or 1 where the values are constant."""
    return torch.where(deviation > ROUNDING * mean.abs(), deviation, 1.0)


def standardization(
    examples: Tensor, axes: list[int], weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the mean to subtract from examples and the scale to divide by.

    Args:
        examples: Numbers of any type, at least one.
        axes: The axes to sum over, including axis 0.
        weights: The weight of each example; None is 1 for all.
    """
    mean, deviation = moments(examples, axes, weights)
    return mean, usable_scale(mean, deviation)


@final
@dataclass
class RunningMoments:
    """Mean and standard deviation of examples that come in batches.

    Two groups of n and m examples with means a and b and sums of squared deviations s and t
    have the mean a + (b − a) m / (n + m) and the sum s + t + (b − a)² n m / (n + m).

    Attributes:
        count: Number of values per column so far.
        mean: Their mean.
        squares: Their sum of squared deviations from it.

    Reference:
        Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983.

    Example:
        >>> running = RunningMoments()
        >>> for batch in torch.tensor([[1.0], [2.0], [6.0]]).split(2):
        ...     running.add(batch, [0])
        >>> [round(value.item(), 6) for value in running.standardization()]
        [3.0, 2.160247]
    """

    count: float = 0.0
    mean: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))
    squares: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))

    def add(self, examples: Tensor, axes: list[int], weights: Tensor | None = None) -> None:
        """Include a batch.

        Args:
            examples: Numbers of any type, at least one.
            axes: The axes to sum over, including axis 0.
            weights: The weight of each example, not all zero; None is 1 for all.
        """
        mean, deviation = moments(examples, axes, weights)
        total = len(examples) if weights is None else float(weights.sum())
        count = total * examples[0].numel() / mean.numel()
        self.merge(RunningMoments(count, mean, count * deviation.square()))

    def merge(self, other: RunningMoments) -> None:
        """Include the examples of another group."""
        if not other.count:
            return
        total = self.count + other.count
        shift = other.mean - self.mean
        self.squares = (
            self.squares + other.squares + shift.square() * (self.count * other.count / total)
        )
        self.mean = self.mean + shift * (other.count / total)
        self.count = total

    def standardization(self) -> tuple[Tensor, Tensor]:
        """Return the mean to subtract and the scale to divide by."""
        deviation = (self.squares / self.count).sqrt()
        return self.mean, usable_scale(self.mean, deviation)


def single_precision_holds(mean: Tensor, scale: Tensor) -> bool:
    """Return whether single precision resolves values with this mean and deviation."""
    resolved = SINGLE.eps * mean.abs() <= TOLERATED * scale
    return bool((resolved & (scale >= 1e-30) & (scale <= 1e30)).all())


def narrow(values: Tensor) -> Tensor:
    """Convert double precision to single precision, unless that loses distinct values.

    Args:
        values: Examples along axis 0; other types are returned as they are.

    Example:
        >>> narrow(torch.tensor([0.1, 0.2], dtype=torch.float64)).dtype
        torch.float32
        >>> narrow(torch.tensor([1e9 + 1, 1e9 + 2], dtype=torch.float64)).dtype
        torch.float64
    """
    if values.dtype != torch.float64:
        return values
    cast = values.float()
    broken = not bool(values.isfinite().all())  # NaN has no digits to keep
    return cast if broken or loses_nothing(values, cast) else values


def loses_nothing(values: Tensor, cast: Tensor) -> bool:
    """Return whether a cast to another type preserves the differences between examples.

    Args:
        values: Examples along axis 0.
        cast: The same values in the other type.
    """
    if not cast.numel():
        return True
    axes, part = column_axes(cast.ndim), rows_per_part(cast)
    error = torch.stack(
        [
            (new.double() - old.double().reshape(new.shape)).abs().amax(axes, keepdim=True)
            for new, old in zip(cast.split(part), values.split(part), strict=True)
        ]
    ).amax(0)
    if not error.any():
        return True
    mean, deviation = moments(values.reshape(cast.shape), axes)
    constant = deviation <= ROUNDING * mean.abs()
    return bool(((error <= TOLERATED * deviation) | (constant & error.isfinite())).all())


def describe_unresolved(values: Tensor) -> str:
    """Describe the columns whose type does not resolve their values; empty if there are none.

    Args:
        values: One column, or examples of several columns along axis 0, at least one.

    Example:
        >>> describe_unresolved(torch.tensor([[5.0, 1.7e9], [6.0, 1.7e9 + 128]]))
        'column 1 varies by 64 about 1.7e+09, where float32 has no steps below 2e+02'
    """
    # Integers are computed in double precision, which represents small ones exactly.
    dtype = values.dtype if values.is_floating_point() else torch.float64
    columns = values.reshape(len(values), -1)
    mean, deviation = (v.flatten() for v in moments(columns, [0]))
    step = mean.abs() * torch.finfo(dtype).eps
    # Different integers may be equal in double precision, with zero deviation.
    varies = columns.amax(0) != columns.amin(0)
    coarse = (varies & (deviation < STEPS * step)).nonzero().flatten().tolist()
    if not coarse:
        return ""
    first, name = coarse[0], str(dtype).removeprefix("torch.")
    what = f"column {first} " if values.ndim > 1 else ""
    more = f" ({len(coarse) - 1:,} more such columns)" if len(coarse) > 1 else ""
    return (
        f"{what}varies by {deviation[first].item():.3g} about {mean[first].item():.6g}, where "
        f"{name} has no steps below {step[first].item():.1g}{more}"
    )


def column_axes(axes: int) -> list[int]:
    """Return the axes to sum over for statistics per column, or per channel at higher ranks."""
    # An example of rank 2 may be (T, D) or (C, L); only one statistic for all fits both.
    kept = None if axes == 3 else 1
    return [axis for axis in range(axes) if axis != kept]
