"""Competitive networks: units that compete for the inputs, and learn what they win."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily

if TYPE_CHECKING:
    from neuropil.classic.competitive.art.art1 import ART1
    from neuropil.classic.competitive.art.fuzzy_art import FuzzyART
    from neuropil.classic.competitive.gas.growing_neural_gas import GrowingNeuralGas
    from neuropil.classic.competitive.lvq.glvq import GLVQ
    from neuropil.classic.competitive.lvq.gmlvq import GMLVQ
    from neuropil.classic.competitive.lvq.lvq import LVQ, LVQ2, LVQ3, LVQ21
    from neuropil.classic.competitive.som.map_errors import MapErrors, error_front
    from neuropil.classic.competitive.som.sofm import SOFM

__getattr__, __dir__ = lazily(
    __name__,
    {
        "neuropil.classic.competitive.art.art1": ("ART1",),
        "neuropil.classic.competitive.art.fuzzy_art": ("FuzzyART",),
        "neuropil.classic.competitive.gas.growing_neural_gas": ("GrowingNeuralGas",),
        "neuropil.classic.competitive.lvq.glvq": ("GLVQ",),
        "neuropil.classic.competitive.lvq.gmlvq": ("GMLVQ",),
        "neuropil.classic.competitive.lvq.lvq": ("LVQ", "LVQ2", "LVQ21", "LVQ3"),
        "neuropil.classic.competitive.som.map_errors": ("MapErrors", "error_front"),
        "neuropil.classic.competitive.som.sofm": ("SOFM",),
    },
)

__all__ = [
    "ART1",
    "GLVQ",
    "GMLVQ",
    "LVQ",
    "LVQ2",
    "LVQ3",
    "LVQ21",
    "SOFM",
    "FuzzyART",
    "GrowingNeuralGas",
    "MapErrors",
    "error_front",
]
