"""Training algorithms: gradients, schedules and regularisers; the classic networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily

if TYPE_CHECKING:
    from neuropil.algorithms.balancing import balance
    from neuropil.algorithms.gradient import (
        RPROP,
        Adadelta,
        Adagrad,
        Adam,
        Adamax,
        AdamW,
        GradientDescent,
        IRPROPPlus,
        Momentum,
        RMSProp,
        by_name,
        scale_lr,
    )
    from neuropil.algorithms.regularizers import l1, l2, maxnorm
    from neuropil.algorithms.schedules import (
        cosine_decay,
        exponential_decay,
        linear_decay,
        one_cycle,
        polynomial_decay,
        step_decay,
        warmup,
    )

# Loaded when they are used: the classic networks need no PyTorch, the others no Numba.
__getattr__, __dir__ = lazily(
    __name__,
    {
        "neuropil.algorithms.balancing": ("balance",),
        "neuropil.algorithms.gradient": (
            "Adadelta",
            "Adagrad",
            "Adam",
            "Adamax",
            "AdamW",
            "GradientDescent",
            "IRPROPPlus",
            "Momentum",
            "RMSProp",
            "RPROP",
            "by_name",
            "scale_lr",
        ),
        "neuropil.algorithms.regularizers": (
            "l1",
            "l2",
            "maxnorm",
        ),
        "neuropil.algorithms.schedules": (
            "cosine_decay",
            "exponential_decay",
            "linear_decay",
            "one_cycle",
            "polynomial_decay",
            "step_decay",
            "warmup",
        ),
    },
)

__all__ = [
    "RPROP",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "GradientDescent",
    "IRPROPPlus",
    "Momentum",
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
