"""Optimisers by name."""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import TYPE_CHECKING

from torch.optim import Optimizer

from neuropil.core.name_lookup import look_up, plain_options
from neuropil.lazy import public_names

if TYPE_CHECKING:
    from collections.abc import Callable

# Matches the position where a new word begins in a class name.
WORD = re.compile(r"(?<=[A-Za-z])(?=[A-Z][a-z])")


def by_name(name: str) -> Callable[..., Optimizer]:
    """Return the optimiser with this name: a callable that takes parameters and options.

    Args:
        name: Such as "adam", "sgd" or "RMSProp", where case and underscores do not matter; or
            with options, such as "LevenbergMarquardt(restarts=64)".

    Raises:
        ValueError: If the name or one of its options is unknown; the nearest is suggested.

    Example:
        >>> by_name("gradient_descent").__name__
        'GradientDescent'
        >>> by_name("momentum(momentum=0.8)").keywords
        {'momentum': 0.8}
    """
    plain = name.partition("(")[0].strip()
    optimizer = look_up(plain, optimizers(), "optimiser")
    options = plain_options(name, optimizer, leading=1)
    return partial(optimizer, **options) if options else optimizer


def optimizers() -> dict[str, type[Optimizer]]:
    """Return the exported optimisers by name: the class name in snake case, and "sgd".

    Example:
        >>> optimizers()["rms_prop"].__name__
        'RMSProp'
    """
    package = sys.modules["neuropil.optim"]
    exported = {name: getattr(package, name) for name in public_names(package)}
    found: dict[str, type[Optimizer]] = {
        WORD.sub("_", name).lower(): thing
        for name, thing in exported.items()
        if isinstance(thing, type) and issubclass(thing, Optimizer)
    }
    return found | {"sgd": found["gradient_descent"]}
