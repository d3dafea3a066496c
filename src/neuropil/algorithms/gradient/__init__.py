"""Algorithms that follow gradients: optimisers bound to parameters, for any PyTorch loop."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from neuropil.algorithms.gradient.adam import Adam, Adamax, AdamW
from neuropil.algorithms.gradient.adaptive import Adadelta, Adagrad, RMSProp
from neuropil.algorithms.gradient.batch_rule import scale_lr
from neuropil.algorithms.gradient.conjugate_gradient import ConjugateGradient
from neuropil.algorithms.gradient.descent import GradientDescent, Momentum
from neuropil.algorithms.gradient.hessian_diagonal import HessianDiagonal
from neuropil.algorithms.gradient.levenberg_marquardt import LevenbergMarquardt
from neuropil.algorithms.gradient.newton import Hessian
from neuropil.algorithms.gradient.quasi_newton import QuasiNewton
from neuropil.algorithms.gradient.rprop import RPROP, IRPROPPlus
from neuropil.algorithms.names import look_up, plain_options

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
    "by_name",
    "scale_lr",
]

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
    """Return the gradient algorithm of that name: what takes parameters and options.

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
    algorithm = look_up(plain, BY_NAME, "algorithm")
    options = plain_options(name, algorithm, leading=1)
    return partial(algorithm, **options) if options else algorithm
