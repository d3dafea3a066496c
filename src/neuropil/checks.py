"""Checks of options: each returns the value, or raises an error with the values allowed.

`number`, `whole`, `flag` and `one_of` check one value. A class declares its options in a table
of such rules, ``{"lr": interval("(0, 1]"), "n_epochs": whole}``, for `check_options`.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from numbers import Real
from typing import Any, TypeAlias, TypeVar

import numpy as np

from neuropil.text import cut, nearest

T = TypeVar("T")
# Takes a value and the name of its option; returns the value, or raises a ValueError.
Rule: TypeAlias = Callable[[Any, str], Any]
Rules: TypeAlias = dict[str, Rule]

LARGEST = float(np.finfo(np.float32).max)
# Largest 32-bit integer: a longer axis is a mistake or an attack.
MAX_LENGTH = 2**31 - 1
# Largest counter of compiled loops.
COUNTABLE = 2**63 - 1


def number(value: object, what: str, interval: str = "(-inf, inf)") -> float:
    """Return `value` as a float.

    Args:
        value: The value given.
        what: Name of the option, such as ``"Dropout: rate"``.
        interval: In mathematical notation: ``"[0, 1)"`` includes 0 but not 1. An infinite end
            means the largest number of float32.

    Raises:
        ValueError: When it is not a number in the interval; ``True`` is not a number.

    Example:
        >>> number(0, "Dropout: rate", "[0, 1)")
        0.0
        >>> number(1.5, "Dropout: rate", "[0, 1)")
        Traceback (most recent call last):
        ValueError: Dropout: rate must be a number in [0, 1), got 1.5.
    """
    low, high = ends(interval)
    # Nearly all values are an int or a float, and the check for `Real` is slow.
    real = isinstance(value, int | float | Real)
    # Networks compute in float32, in which larger numbers overflow.
    if real and math.inf in (high, -low) and LARGEST < abs(to_float(value)) < math.inf:
        raise ValueError(f"{what} must be at most {LARGEST:.2g} in size, got {shown(value)}.")
    if real and not isinstance(value, bool):
        number = to_float(value)
        above = low <= number if interval[0] == "[" else low < number
        if above and (number <= high if interval[-1] == "]" else number < high):
            return number
    raise ValueError(f"{what} must be a number in {interval}, got {shown(value)}.")


@functools.cache
def ends(interval: str) -> tuple[float, float]:
    """Return the ends of an interval; cached, since options are checked often."""
    low, high = map(float, interval[1:-1].split(","))
    return low, high


def to_float(value: Any) -> float:
    """Return a number as a float; infinity if it is too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def whole(value: object, what: str, *, minimum: int = 1, maximum: int = MAX_LENGTH) -> int:
    """Return a whole number as an int.

    Args:
        value: The value given.
        what: Name of the option.
        minimum: Smallest number allowed.
        maximum: Largest number allowed.

    Raises:
        ValueError: When it is not a whole number in the range; ``True`` and 2.0 are not.

    Example:
        >>> whole(0, "Relu: units")
        Traceback (most recent call last):
        ValueError: Relu: units must be a whole number from 1 to 2,147,483,647, got 0.
    """
    try:
        number = operator.index(value)  # pyright: ignore[reportArgumentType]  # the test itself
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not minimum <= number <= maximum:
        most = "2⁶³ − 1" if maximum == COUNTABLE else f"{maximum:,}"
        raise ValueError(
            f"{what} must be a whole number from {minimum} to {most}, got {shown(value)}."
        )
    return number


def flag(value: object, what: str) -> bool:
    """Return a truth value as a bool.

    Raises:
        ValueError: When it is neither True nor False; numbers and texts are not accepted.

    Example:
        >>> flag("no", "GRU: only_last")
        Traceback (most recent call last):
        ValueError: GRU: only_last must be True or False, got 'no'.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise ValueError(f"{what} must be True or False, got {shown(value)}.")


def one_of(value: T, what: str, choices: Iterable[T]) -> T:
    """Return the value if it is one of the choices: names, or None.

    Raises:
        ValueError: When it is not one of the choices.

    Example:
        >>> one_of("mean", "GlobalPooling: mode", ("avg", "max"))
        Traceback (most recent call last):
        ValueError: GlobalPooling: mode must be 'avg' or 'max', got 'mean'.
    """
    choices = tuple(choices)
    # The type is checked first, because arrays compare element by element.
    if isinstance(value, str | None) and value in choices:
        return value
    known = (" or " if len(choices) == 2 else ", ").join(map(repr, choices))
    one = "" if len(choices) == 2 else "one of "
    hint = nearest(value, map(str, choices)) if isinstance(value, str) else ""
    raise ValueError(f"{what} must be {one}{known}, got {shown(value)}.{hint}")


def interval(bounds: str) -> Rule:
    """Return the rule for a number in an interval, such as ``"(0, 1]"``."""
    return partial(number, interval=bounds)


def choice(*names: str | None) -> Rule:
    """Return the rule for an option that must be one of several names, or None if listed."""
    return partial(one_of, choices=names)


def optional(rule: Rule) -> Rule:
    """Return a rule that also accepts None.

    Example:
        >>> optional(flag)("yes", "Adam: `foreach`")
        Traceback (most recent call last):
        ValueError: Adam: `foreach` must be True or False or None, got 'yes'.
    """

    def rule_or_none(value: Any, what: str) -> Any:
        try:
            return None if value is None else rule(value, what)
        except ValueError as error:
            raise ValueError(str(error).replace(", got ", " or None, got ", 1)) from None

    return rule_or_none


def check_options(owner: str, options: Mapping[str, Any], rules: Rules) -> None:
    """Check options by their rules; options without a rule are not checked.

    Args:
        owner: Name of the class or function that has the options.
        options: Their values by name.
        rules: Rule of each option by name.

    Raises:
        ValueError: With the owner, the option, the value given and the values allowed.

    Example:
        >>> check_options("GRNN", {"sigma": -1.0}, {"sigma": interval("(0, inf)")})
        Traceback (most recent call last):
        ValueError: GRNN: `sigma` must be a number in (0, inf), got -1.0.
    """
    for option, rule in rules.items():
        if option in options:
            rule(options[option], f"{owner}: `{option}`")


def shown(value: object, most: int = 60) -> str:
    """Return the repr of a value for an error message, on one line and shortened.

    Args:
        value: Any value.
        most: Largest number of characters.

    Example:
        >>> shown("x" * 100_000, most=8)
        "'xxxxxx…"
    """
    return cut(" ".join(repr(value).split()), most)
