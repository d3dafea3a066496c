"""Training algorithms: gradients, schedules and regularisers; the classic networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily

if TYPE_CHECKING:
    from neuropil.algorithms.associative import HebbRule, Instar, Kohonen, Oja
    from neuropil.algorithms.balancing import balance
    from neuropil.algorithms.boltzmann import RBM, DeepBeliefNetwork
    from neuropil.algorithms.competitive import (
        ART1,
        GLVQ,
        GMLVQ,
        LVQ,
        LVQ2,
        LVQ3,
        LVQ21,
        SOFM,
        FuzzyART,
        GrowingNeuralGas,
    )
    from neuropil.algorithms.gradient import (
        RPROP,
        Adadelta,
        Adagrad,
        Adam,
        Adamax,
        AdamW,
        ConjugateGradient,
        GradientDescent,
        Hessian,
        HessianDiagonal,
        IRPROPPlus,
        LevenbergMarquardt,
        Momentum,
        QuasiNewton,
        RMSProp,
        by_name,
        scale_lr,
    )
    from neuropil.algorithms.memory import (
        CMAC,
        DiscreteBAM,
        DiscreteHopfieldNetwork,
        ModernHopfieldNetwork,
    )
    from neuropil.algorithms.rbf import GRNN, PNN
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
        "neuropil.algorithms.associative": ("HebbRule", "Instar", "Kohonen", "Oja"),
        "neuropil.algorithms.balancing": ("balance",),
        "neuropil.algorithms.boltzmann": ("RBM", "DeepBeliefNetwork"),
        "neuropil.algorithms.competitive": (
            "ART1",
            "FuzzyART",
            "GLVQ",
            "GMLVQ",
            "GrowingNeuralGas",
            "LVQ",
            "LVQ2",
            "LVQ21",
            "LVQ3",
            "SOFM",
        ),
        "neuropil.algorithms.gradient": (
            "Adadelta",
            "Adagrad",
            "Adam",
            "Adamax",
            "AdamW",
            "ConjugateGradient",
            "GradientDescent",
            "Hessian",
            "HessianDiagonal",
            "IRPROPPlus",
            "LevenbergMarquardt",
            "Momentum",
            "QuasiNewton",
            "RMSProp",
            "RPROP",
            "by_name",
            "scale_lr",
        ),
        "neuropil.algorithms.memory": (
            "CMAC",
            "DiscreteBAM",
            "DiscreteHopfieldNetwork",
            "ModernHopfieldNetwork",
        ),
        "neuropil.algorithms.rbf": ("GRNN", "PNN"),
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
    "ART1",
    "CMAC",
    "GLVQ",
    "GMLVQ",
    "GRNN",
    "LVQ",
    "LVQ2",
    "LVQ3",
    "LVQ21",
    "PNN",
    "RBM",
    "RPROP",
    "SOFM",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ConjugateGradient",
    "DeepBeliefNetwork",
    "DiscreteBAM",
    "DiscreteHopfieldNetwork",
    "FuzzyART",
    "GradientDescent",
    "GrowingNeuralGas",
    "HebbRule",
    "Hessian",
    "HessianDiagonal",
    "IRPROPPlus",
    "Instar",
    "Kohonen",
    "LevenbergMarquardt",
    "ModernHopfieldNetwork",
    "Momentum",
    "Oja",
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
