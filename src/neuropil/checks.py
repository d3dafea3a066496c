"""Checks of options, once for all: each returns the value, or says what it should have been.

`number`, `whole`, `flag` and `one_of` check one value. A class lists what its options may be in
a table of such rules, ``{"lr": interval("(0, 1]"), "n_epochs": whole}``, for `check_options`.
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

from neuropil.text import nearest

T = TypeVar("T")
# Takes a value and whose option it is; returns the value, or raises a ValueError.
Rule: TypeAlias = Callable[[Any, str], Any]
Rules: TypeAlias = dict[str, Rule]

LARGEST = float(np.finfo(np.float32).max)
# What 32 bits hold: a longer axis is a slip or an attack, never a wish.
MAX_LENGTH = 2**31 - 1
# What compiled loops count up to.
COUNTABLE = 2**63 - 1


def number(value: object, what: str, interval: str = "(-inf, inf)") -> float:
    """Return `value` as a float.

    Args:
        value: The value given.
        what: Whose option it is, such as ``"Dropout: rate"``.
        interval: As written on paper: ``"[0, 1)"`` holds 0 and not 1. An end at infinity is as
            far as float32 goes.

    Raises:
        ValueError: When it is not a number of that interval; ``True`` is not a number here.

    Example:
        >>> number(0, "Dropout: rate", "[0, 1)")
        0.0
        >>> number(1.5, "Dropout: rate", "[0, 1)")
        Traceback (most recent call last):
        ValueError: Dropout: rate must be a number in [0, 1), got 1.5.
    """
    low, high = ends(interval)
    # The first two are what nearly all values are, and `Real` is slow to ask.
    real = isinstance(value, int | float | Real)
    # Networks compute in float32, where what is larger is not a number.
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
    """Return the ends of an interval as written; cached, since options are checked often."""
    low, high = map(float, interval[1:-1].split(","))
    return low, high


def to_float(value: Any) -> float:
    """Return a number as a float; infinity where it is beyond all floats."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def whole(value: object, what: str, *, minimum: int = 1, maximum: int = MAX_LENGTH) -> int:
    """Return a whole number as an int.

    Args:
        value: The value given.
        what: Whose option it is.
        minimum: The smallest that is right.
        maximum: The largest.

    Raises:
        ValueError: When it is not a whole number of that range; ``True`` and 2.0 are not.

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
    hint = nearest(value, map(str, choices)) if isinstance(value, str) else ""
    raise ValueError(f"{what} must be {one}{known}, got {shown(value)}.{hint}")


def interval(bounds: str) -> Rule:
    """Return the rule of a number within an interval, such as ``"(0, 1]"``."""
    return partial(number, interval=bounds)


def choice(*names: str) -> Rule:
    """Return the rule of an option that is one of some names."""
    return partial(one_of, choices=names)


def optional(rule: Rule) -> Rule:
    """Return a rule that takes None too.

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
    """Refuse an option that its rule does not allow; options without a rule pass.

    Args:
        owner: Whose options they are.
        options: Their values by name.
        rules: What each may be.

    Raises:
        ValueError: Naming the owner, the option, what was given and what would be right.

    Example:
        >>> check_options("GRNN", {"sigma": -1.0}, {"sigma": interval("(0, inf)")})
        Traceback (most recent call last):
        ValueError: GRNN: `sigma` must be a number in (0, inf), got -1.0.
    """
    for option, rule in rules.items():
        if option in options:
            rule(options[option], f"{owner}: `{option}`")


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
