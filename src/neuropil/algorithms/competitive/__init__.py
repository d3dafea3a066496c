"""Competitive networks: units that compete for the inputs, and learn what they win."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily

if TYPE_CHECKING:
    from neuropil.algorithms.competitive.art1 import ART1
    from neuropil.algorithms.competitive.fuzzy_art import FuzzyART
    from neuropil.algorithms.competitive.gas import GrowingNeuralGas
    from neuropil.algorithms.competitive.glvq import GLVQ
    from neuropil.algorithms.competitive.gmlvq import GMLVQ
    from neuropil.algorithms.competitive.lvq import LVQ, LVQ2, LVQ3, LVQ21
    from neuropil.algorithms.competitive.map_measures import MapErrors, error_front
    from neuropil.algorithms.competitive.sofm import SOFM

__getattr__, __dir__ = lazily(
    __name__,
    {
        "neuropil.algorithms.competitive.art1": ("ART1",),
        "neuropil.algorithms.competitive.fuzzy_art": ("FuzzyART",),
        "neuropil.algorithms.competitive.gas": ("GrowingNeuralGas",),
        "neuropil.algorithms.competitive.glvq": ("GLVQ",),
        "neuropil.algorithms.competitive.gmlvq": ("GMLVQ",),
        "neuropil.algorithms.competitive.lvq": ("LVQ", "LVQ2", "LVQ21", "LVQ3"),
        "neuropil.algorithms.competitive.map_measures": ("MapErrors", "error_front"),
        "neuropil.algorithms.competitive.sofm": ("SOFM",),
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
