"""The rules that optimiser options must satisfy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from neuropil import checks
from neuropil.checks import COUNTABLE, flag, interval, number, optional, shown, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.checks import Rule, Rules


def pair(words: str, holds: Callable[[float, float], bool]) -> Rule:
    """Return a rule for a pair of numbers that satisfy a test; ``words`` describe the test."""

    def rule(value: Any, what: str) -> Any:
        try:
            first, second = (number(plain(part), what) for part in value)
        except (TypeError, ValueError):
            first = second = math.nan
        if not holds(first, second):
            raise ValueError(f"{what} must be {words}, got {shown(value)}.")
        return first, second

    return rule


POSITIVE, NOT_NEGATIVE = interval("(0, inf)"), interval("[0, inf)")
FRACTION, PART = interval("[0, 1)"), interval("[0, 1]")
FRACTIONS = pair("two numbers in [0, 1)", lambda a, b: 0 <= a < 1 and 0 <= b < 1)

# The options that mean the same everywhere; a class adds its own in `rules`.
RULES: Rules = {
    "lr": POSITIVE,
    "damping": POSITIVE,
    "restarts": whole,
    "momentum": FRACTION,
    "dampening": PART,
    "betas": FRACTIONS,
    "alpha": FRACTION,
    "rho": FRACTION,
    "eps": NOT_NEGATIVE,
    "weight_decay": NOT_NEGATIVE,
    "lr_decay": NOT_NEGATIVE,
    "initial_accumulator_value": NOT_NEGATIVE,
    # Above c₁ of the line search, which is 1e-4.
    "curvature": interval("(0.0001, 1)"),
    "tolerance": NOT_NEGATIVE,
    "max_evaluations": whole,
    "memory": whole,
    "min_curvature": POSITIVE,
    "seed": partial(whole, minimum=0, maximum=COUNTABLE),
    "hessian_free": optional(flag),
    "foreach": optional(flag),
    "fused": optional(flag),
    "amsgrad": flag,
    "bayesian": flag,
    "capturable": flag,
    "centered": flag,
    "differentiable": flag,
    "geodesic": flag,
    "maximize": flag,
    "nesterov": flag,
}


def check_options(owner: str, options: Mapping[str, Any], rules: Rules = RULES) -> None:
    """Check each option against its rule; options without a rule pass.

    Args:
        owner: The optimiser's name, for messages.
        options: Values by option name; a tensor with one element counts as a number.
        rules: The rule of each option.

    Raises:
        ValueError: If an option breaks its rule; the message names the optimiser, the option,
            the value and what is allowed.
    """
    checks.check_options(owner, {name: plain(given) for name, given in options.items()}, rules)


class CheckedOptions:
    """Base class of the optimisers: options that satisfy rules, alone and together."""

    # The rule that each option must satisfy; a subclass adds the rules of its own options.
    rules: ClassVar[Rules] = RULES

    def check(self, options: Mapping[str, Any]) -> None:
        """Check the options of the optimiser or of a group.

        Raises:
            ValueError: If one breaks its rule, or several do not fit together.
        """
        check_options(type(self).__name__, options, self.rules)


def plain(value: Any) -> Any:
    """Return the number in a tensor of one element; return other values unchanged."""
    return value.item() if isinstance(value, torch.Tensor) and value.numel() == 1 else value


def some_parameters(owner: str, params: Any) -> Any:
    """Return the parameters as a list; return them unchanged where torch raises its own error.

    Raises:
        ValueError: If the list is empty.
    """
    if isinstance(params, torch.Tensor) or not isinstance(params, Iterable):
        return params
    params = list(params)
    if not params:
        raise ValueError(
            f"{owner} got no parameters. A network has them once it is joined to an Input; "
            f"create the optimiser after that."
        )
    return params
