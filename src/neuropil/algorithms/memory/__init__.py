"""Associative memories: patterns from parts of them, answers from cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily

if TYPE_CHECKING:
    from neuropil.algorithms.memory.bam import DiscreteBAM
    from neuropil.algorithms.memory.capacity import CapacityCurve, theoretical_overlap
    from neuropil.algorithms.memory.cmac import CMAC
    from neuropil.algorithms.memory.hopfield import DiscreteHopfieldNetwork
    from neuropil.algorithms.memory.hopfield_recall import RecallPath
    from neuropil.algorithms.memory.modern_hopfield import ModernHopfieldNetwork

__getattr__, __dir__ = lazily(
    __name__,
    {
        "neuropil.algorithms.memory.bam": ("DiscreteBAM",),
        "neuropil.algorithms.memory.capacity": ("CapacityCurve", "theoretical_overlap"),
        "neuropil.algorithms.memory.cmac": ("CMAC",),
        "neuropil.algorithms.memory.hopfield": ("DiscreteHopfieldNetwork",),
        "neuropil.algorithms.memory.hopfield_recall": ("RecallPath",),
        "neuropil.algorithms.memory.modern_hopfield": ("ModernHopfieldNetwork",),
    },
)

__all__ = [
    "CMAC",
    "CapacityCurve",
    "DiscreteBAM",
    "DiscreteHopfieldNetwork",
    "ModernHopfieldNetwork",
    "RecallPath",
    "theoretical_overlap",
]
