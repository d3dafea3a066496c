"""Optimisers by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from neuropil.core.name_lookup import look_up, plain_options
from neuropil.optim.first_order.adam import Adam, Adamax, AdamW
from neuropil.optim.first_order.adaptive import Adadelta, Adagrad, RMSProp
from neuropil.optim.first_order.rprop import RPROP, IRPROPPlus
from neuropil.optim.first_order.sgd import GradientDescent, Momentum
from neuropil.optim.least_squares.levenberg_marquardt import LevenbergMarquardt
from neuropil.optim.second_order.conjugate_gradient import ConjugateGradient
from neuropil.optim.second_order.hessian_diagonal import HessianDiagonal
from neuropil.optim.second_order.newton import Hessian
from neuropil.optim.second_order.quasi_newton import QuasiNewton

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim import Optimizer

BY_NAME: dict[str, Callable[..., Optimizer]] = {
    "adam": Adam,
    "adamw": AdamW,
    "adamax": Adamax,
    "momentum": Momentum,
    "gradient_descent": GradientDescent,
    "sgd": GradientDescent,
    "rmsprop": RMSProp,
    "adadelta": Adadelta,
    "adagrad": Adagrad,
    "conjugate_gradient": ConjugateGradient,
    "quasi_newton": QuasiNewton,
    "hessian": Hessian,
    "hessian_diagonal": HessianDiagonal,
    "levenberg_marquardt": LevenbergMarquardt,
    "rprop": RPROP,
    "irprop_plus": IRPROPPlus,
}


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
    optimizer = look_up(plain, BY_NAME, "optimiser")
    options = plain_options(name, optimizer, leading=1)
    return partial(optimizer, **options) if options else optimizer
