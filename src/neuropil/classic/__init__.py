"""Classic networks as scikit-learn estimators: maps, memories, prototypes and more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily

if TYPE_CHECKING:
    from neuropil.classic.boltzmann import RBM, DeepBeliefNetwork
    from neuropil.classic.competitive import (
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
    from neuropil.classic.hebbian import HebbRule, Instar, Kohonen, Oja
    from neuropil.classic.memory import (
        CMAC,
        DiscreteBAM,
        DiscreteHopfieldNetwork,
        ModernHopfieldNetwork,
    )
    from neuropil.classic.rbf import GRNN, PNN

# Loaded when they are used: most need no PyTorch, and few need all of Numba's loops.
__getattr__, __dir__ = lazily(
    __name__,
    {
        "neuropil.classic.boltzmann": ("RBM", "DeepBeliefNetwork"),
        "neuropil.classic.competitive": (
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
        "neuropil.classic.hebbian": ("HebbRule", "Instar", "Kohonen", "Oja"),
        "neuropil.classic.memory": (
            "CMAC",
            "DiscreteBAM",
            "DiscreteHopfieldNetwork",
            "ModernHopfieldNetwork",
        ),
        "neuropil.classic.rbf": ("GRNN", "PNN"),
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
    "SOFM",
    "DeepBeliefNetwork",
    "DiscreteBAM",
    "DiscreteHopfieldNetwork",
    "FuzzyART",
    "GrowingNeuralGas",
    "HebbRule",
    "Instar",
    "Kohonen",
    "ModernHopfieldNetwork",
    "Oja",
]
