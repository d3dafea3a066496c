"""Mean and standard deviation of examples in double precision, and what a type can hold."""

from __future__ import annotations

import torch
from torch import Tensor

PART = 4096
TOLERATED = 1e-4
"""The largest rounding error of a value, in standard deviations, that does no harm."""
SINGLE = torch.finfo(torch.float32)
STEPS = 16
"""A spread of fewer steps of a type than this is not resolved by it."""
ROUNDING = 4 * torch.finfo(torch.float64).eps
"""A spread below this part of the mean is rounding, not variation."""


def moments(examples: Tensor, axes: list[int]) -> tuple[Tensor, Tensor]:
    """Return the mean and the standard deviation over some axes, which stay with length 1.

    The sums are taken of z = (x − centre) / half-range, from −1 to 1: nothing cancels far from
    zero, and nothing overflows or vanishes on tiny or huge scales. Examples are converted in
    parts, so that pictures stay bytes.

    Args:
        examples: Numbers of any type, at least one.
        axes: The axes to sum over; the first is among them.
    """
    center, unit = span(examples, axes)
    total, square = torch.zeros_like(center), torch.zeros_like(center)
    for part in examples.split(PART):
        values = (part.double() - center) / unit
        total += values.sum(axes, keepdim=True)
        square += values.square().sum(axes, keepdim=True)
    count = examples.numel() / center.numel()
    shift = total / count
    deviation = (square / count - shift.square()).clamp(min=0).sqrt()
    return center + unit * shift, unit * deviation


def span(examples: Tensor, axes: list[int]) -> tuple[Tensor, Tensor]:
    """Return the middle of the values and half their range, 1 where all are equal."""
    if examples.dtype == torch.uint8:
        shape = [1 if axis in axes else n for axis, n in enumerate(examples.shape)]
        middle = torch.full(shape, 127.5, dtype=torch.float64, device=examples.device)
        return middle, middle
    ends = [ends_of(part.double(), axes) for part in examples.split(PART)]
    low = torch.stack([least for least, _ in ends]).amin(0)
    high = torch.stack([most for _, most in ends]).amax(0)
    half = high / 2 - low / 2  # the whole range may be more than the type can hold
    return low + half, torch.where(half > 0, half, 1.0)


def ends_of(values: Tensor, axes: list[int]) -> tuple[Tensor, Tensor]:
    """Return the least and the greatest value over some axes."""
    return values.amin(axes, keepdim=True), values.amax(axes, keepdim=True)


def usable_scale(mean: Tensor, deviation: Tensor) -> Tensor:
    """Return standard deviations to divide by: 1 where the values are constant."""
    return torch.where(deviation > ROUNDING * mean.abs(), deviation, 1.0)


def standardization(examples: Tensor, axes: list[int]) -> tuple[Tensor, Tensor]:
    """Return what to subtract from examples and what to divide by.

    Args:
        examples: Numbers of any type, at least one.
        axes: The axes to sum over; the first is among them.
    """
    mean, deviation = moments(examples, axes)
    return mean, usable_scale(mean, deviation)


def single_precision_holds(mean: Tensor, scale: Tensor) -> bool:
    """Tell whether single precision resolves values with this mean and standard deviation."""
    resolved = SINGLE.eps * mean.abs() <= TOLERATED * scale
    return bool((resolved & (scale >= 1e-30) & (scale <= 1e30)).all())


def narrow(values: Tensor) -> Tensor:
    """Return double-precision numbers in single precision, unless they become alike there.

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
    """Tell whether a cast to another type keeps the digits by which the examples differ.

    Args:
        values: Examples along axis 0.
        cast: The same in the other type.
    """
    if not cast.numel():
        return True
    axes = column_axes(cast.ndim)
    error = torch.stack(
        [
            (new.double() - old.double().reshape(new.shape)).abs().amax(axes, keepdim=True)
            for new, old in zip(cast.split(PART), values.split(PART), strict=True)
        ]
    ).amax(0)
    if not error.any():
        return True
    mean, deviation = moments(values.reshape(cast.shape), axes)
    constant = deviation <= ROUNDING * mean.abs()
    return bool(((error <= TOLERATED * deviation) | (constant & error.isfinite())).all())


def describe_unresolved(values: Tensor) -> str:
    """Return which columns' values their own type cannot tell apart, or nothing.

    Args:
        values: One column, or examples of several columns along axis 0, at least one.

    Example:
        >>> describe_unresolved(torch.tensor([[5.0, 1.7e9], [6.0, 1.7e9 + 128]]))
        'column 1 varies by 64 about 1.7e+09, where float32 has no steps below 2e+02'
    """
    # Integers are computed with in double precision, which small ones fit into.
    dtype = values.dtype if values.is_floating_point() else torch.float64
    columns = values.reshape(len(values), -1)
    mean, deviation = (v.flatten() for v in moments(columns, [0]))
    step = mean.abs() * torch.finfo(dtype).eps
    # Integers that differ may be one number in double precision, with no deviation at all.
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
    """Return the axes to sum over for figures per column, or per channel of more axes."""
    # Rank 2 of an example may be (T, D) or (C, L); only one figure for all suits both.
    kept = None if axes == 3 else 1
    return [axis for axis in range(axes) if axis != kept]
