"""The options of optimisers: what each may be, said once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import torch

from neuropil.text import nearest


class Rule(NamedTuple):
    """What an option must satisfy, as a test and in words.

    Attributes:
        holds: The test.
        words: What it must be.
        number: Whether it is a number, which the test gets as a float.
    """

    holds: Callable[[Any], bool]
    words: str
    number: bool = True


POSITIVE = Rule(lambda x: 0 < x < math.inf, "a number above 0")
NOT_NEGATIVE = Rule(lambda x: 0 <= x < math.inf, "a number of at least 0")
COUNT = Rule(lambda x: x >= 1 and x == int(x), "a whole number of at least 1")
WHOLE = Rule(lambda x: 1 <= x < math.inf and x % 1 == 0, "a whole number of at least 1")
INDEX = Rule(lambda x: 0 <= x < math.inf and x % 1 == 0, "a whole number of at least 0")
FRACTION = Rule(lambda x: 0 <= x < 1, "at least 0 and below 1")
PART = Rule(lambda x: 0 <= x <= 1, "from 0 to 1")
FLAG = Rule(lambda x: isinstance(x, bool | np.bool_), "True or False", number=False)
# None lets the optimiser choose.
CHOICE = Rule(lambda x: x is None or FLAG.holds(x), "True or False or None", number=False)

RULES = {
    "lr": POSITIVE,
    "damping": POSITIVE,
    "restarts": WHOLE,
    "momentum": FRACTION,
    "dampening": PART,
    "betas": FRACTION,
    "alpha": FRACTION,
    "rho": FRACTION,
    "eps": NOT_NEGATIVE,
    "weight_decay": NOT_NEGATIVE,
    "lr_decay": NOT_NEGATIVE,
    "initial_accumulator_value": NOT_NEGATIVE,
    "curvature": Rule(lambda x: 1e-4 < x < 1, "above 0.0001 and below 1"),
    "tolerance": NOT_NEGATIVE,
    "max_evaluations": COUNT,
    "memory": COUNT,
    "min_curvature": POSITIVE,
    "seed": INDEX,
    "power": POSITIVE,
    "factor": Rule(lambda x: 0 < x <= 1, "above 0 and at most 1"),
    "rise": FRACTION,
    "start": PART,
    "end": PART,
    "hessian_free": CHOICE,
    "foreach": CHOICE,
    "fused": CHOICE,
} | dict.fromkeys(
    (
        "amsgrad",
        "bayesian",
        "biases",
        "capturable",
        "centered",
        "differentiable",
        "geodesic",
        "maximize",
        "nesterov",
    ),
    FLAG,
)


def check_options(
    owner: str, options: dict[str, Any], *, pairs: Iterable[str] = ("betas",)
) -> None:
    """Refuse an option that is out of its range; options without a rule pass.

    Args:
        owner: Whose options they are.
        options: Their values by name.
        pairs: Those that are two numbers, each with the same rule.

    Raises:
        ValueError: Naming the optimiser, the option, what was given and what would be right.
    """
    for option, given in options.items():
        if option not in RULES:
            continue
        values = given if option in pairs else (given,)
        if option in pairs and (not isinstance(given, tuple | list) or len(given) != 2):
            raise ValueError(f"{owner}: `{option}` must be two numbers, got {given!r}.")
        if not all(satisfies(RULES[option], value) for value in values):
            raise ValueError(
                f"{owner}: `{option}` must be {RULES[option].words}, got {given!r}."
            )


def check_choice(owner: str, option: str, given: object, choices: Iterable[str]) -> None:
    """Refuse an option that is none of its choices.

    Raises:
        ValueError: Naming the optimiser, the option, what was given and the choices.
    """
    known = tuple(choices)
    if given not in known:
        suggestion = nearest(given, known) if isinstance(given, str) else ""
        raise ValueError(
            f"{owner}: `{option}` must be one of {', '.join(map(repr, known))}, got "
            f"{given!r}.{suggestion}"
        )


def satisfies(rule: Rule, value: object) -> bool:
    """Tell whether a value is what the rule allows; no text is a number, nor is a truth."""
    if not rule.number:
        return rule.holds(value)
    if isinstance(value, str | bytes | bool):
        return False
    if isinstance(value, torch.Tensor):
        value = value.item() if value.numel() == 1 else None
    try:
        return rule.holds(float(value))  # pyright: ignore[reportArgumentType]  # the test itself
    except (TypeError, ValueError, OverflowError):
        return False


def some_parameters(owner: str, params: Any) -> Any:
    """Return the parameters as a list, or as they are where torch has its own complaint.

    Raises:
        ValueError: If there are none.
    """
    if isinstance(params, torch.Tensor) or not isinstance(params, Iterable):
        return params
    params = list(params)
    if not params:
        raise ValueError(
            f"{owner} got no parameters. A network has them once it is joined to an Input; "
            f"make the optimiser after that."
        )
    return params
