"""Checks of options, once for all: each returns the value, or says what it should have been."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

LARGEST = float(np.finfo(np.float32).max)


def number(value: object, what: str, interval: str = "(-inf, inf)") -> float:
    """Return `value` as a float.

    Args:
        value: The value given.
        what: Whose option it is, such as ``"Dropout: rate"``.
        interval: As written on paper: ``"[0, 1)"`` holds 0 and not 1.

    Raises:
        ValueError: When it is not a number of that interval; ``True`` is not a number here.

    Example:
        >>> number(0, "Dropout: rate", "[0, 1)")
        0.0
        >>> number(1.5, "Dropout: rate", "[0, 1)")
        Traceback (most recent call last):
        ValueError: Dropout: rate must be a number in [0, 1), got 1.5.
    """
    low, high = map(float, interval[1:-1].split(","))
    # Networks compute in float32, where what is larger is not a number.
    if isinstance(value, int | float | Real) and LARGEST < abs(to_float(value)) < math.inf:
        raise ValueError(f"{what} must be at most {LARGEST:.2g} in size, got {shown(value)}.")
    # The first two are what nearly all values are, and `Real` is slow to ask.
    if isinstance(value, int | float | Real) and not isinstance(value, bool):
        number = to_float(value)
        above = low <= number if interval[0] == "[" else low < number
        if above and (number <= high if interval[-1] == "]" else number < high):
            return number
    raise ValueError(f"{what} must be a number in {interval}, got {shown(value)}.")


def to_float(value: Any) -> float:
    """Return a number as a float; infinity where it is beyond all floats."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def flag(value: object, what: str) -> bool:
    """Return a truth value as Python's own.

    Raises:
        ValueError: When it is neither True nor False; numbers and texts are neither.

    Example:
        >>> flag("no", "GRU: only_last")
        Traceback (most recent call last):
        ValueError: GRU: only_last must be True or False, got 'no'.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ValueError(f"{what} must be True or False, got {shown(value)}.")


def one_of(value: T, what: str, choices: Iterable[T]) -> T:
    """Return one of several names, or None where that is one of them.

    Raises:
        ValueError: When there is no such choice.

    Example:
        >>> one_of("mean", "GlobalPooling: mode", ("avg", "max"))
        Traceback (most recent call last):
        ValueError: GlobalPooling: mode must be 'avg' or 'max', got 'mean'.
    """
    choices = tuple(choices)
    # Not by `==` alone: an array compares element by element.
    if isinstance(value, str | None) and value in choices:
        return value
    known = (" or " if len(choices) == 2 else ", ").join(map(repr, choices))
    one = "" if len(choices) == 2 else "one of "
    raise ValueError(f"{what} must be {one}{known}, got {shown(value)}.")


def shown(value: object, most: int = 60) -> str:
    """Return a value as it is written, in one line and shortened, for an error message.

    Args:
        value: Anything.
        most: Number of characters to keep.

    Example:
        >>> shown("x" * 100_000, most=8)
        "'xxxxxx…"
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
