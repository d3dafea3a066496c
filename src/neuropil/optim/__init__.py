"""Optimizers for any PyTorch loop, learning-rate schedules, and regularisers."""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import TYPE_CHECKING

from neuropil.core.name_lookup import look_up, plain_options
from neuropil.optim.batch_size_rule import scale_lr
from neuropil.optim.expert_balance import balance
from neuropil.optim.first_order.adam import Adam, Adamax, AdamW
from neuropil.optim.first_order.adaptive import Adadelta, Adagrad, RMSProp
from neuropil.optim.first_order.rprop import RPROP, IRPROPPlus
from neuropil.optim.first_order.sgd import GradientDescent, Momentum
from neuropil.optim.least_squares.levenberg_marquardt import LevenbergMarquardt
from neuropil.optim.regularizers import l1, l2, maxnorm
from neuropil.optim.schedules import (
    cosine_decay,
    exponential_decay,
    linear_decay,
    one_cycle,
    polynomial_decay,
    step_decay,
    warmup,
)
from neuropil.optim.second_order.conjugate_gradient import ConjugateGradient
from neuropil.optim.second_order.hessian_diagonal import HessianDiagonal
from neuropil.optim.second_order.newton import Hessian
from neuropil.optim.second_order.quasi_newton import QuasiNewton

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim import Optimizer

__all__ = [
    "RPROP",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ConjugateGradient",
    "GradientDescent",
    "Hessian",
    "HessianDiagonal",
    "IRPROPPlus",
    "LevenbergMarquardt",
    "Momentum",
    "QuasiNewton",
    "RMSProp",
    "balance",
    "by_name",
    "cosine_decay",
    "exponential_decay",
    "l1",
    "l2",
    "linear_decay",
    "maxnorm",
    "one_cycle",
    "polynomial_decay",
    "scale_lr",
    "step_decay",
    "warmup",
]

# Where a word begins in the name of a class.
WORD = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def optimizers() -> dict[str, type[Optimizer]]:
    """Return the exported optimisers by name: the class name in snake case, and "sgd".

    Example:
        >>> optimizers()["rms_prop"].__name__
        'RMSProp'
    """
    exported = {name: getattr(sys.modules[__name__], name) for name in sorted(__all__)}
    found: dict[str, type[Optimizer]] = {
        WORD.sub("_", name).lower(): thing
        for name, thing in exported.items()
        if isinstance(thing, type)
    }
    return found | {"sgd": GradientDescent}


def by_name(name: str) -> Callable[..., Optimizer]:
    """Return the optimiser of that name: what takes parameters and options.

    Args:
        name: Such as "adam", "sgd" or "RMSProp", where case and underscores do not matter; or
            with options, such as "LevenbergMarquardt(restarts=64)".

    Raises:
        ValueError: If there is none, or it has no such option; the nearest name is suggested.

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
