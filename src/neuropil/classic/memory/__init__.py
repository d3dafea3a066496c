"""Associative memories: patterns from parts of them, answers from cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily

if TYPE_CHECKING:
    from neuropil.classic.memory.bam import DiscreteBAM
    from neuropil.classic.memory.capacity import CapacityCurve, theoretical_overlap
    from neuropil.classic.memory.cmac import CMAC
    from neuropil.classic.memory.hopfield import DiscreteHopfieldNetwork
    from neuropil.classic.memory.hopfield_recall import RecallPath
    from neuropil.classic.memory.modern_hopfield import ModernHopfieldNetwork

__getattr__, __dir__ = lazily(
    __name__,
    {
        "neuropil.classic.memory.bam": ("DiscreteBAM",),
        "neuropil.classic.memory.capacity": ("CapacityCurve", "theoretical_overlap"),
        "neuropil.classic.memory.cmac": ("CMAC",),
        "neuropil.classic.memory.hopfield": ("DiscreteHopfieldNetwork",),
        "neuropil.classic.memory.hopfield_recall": ("RecallPath",),
        "neuropil.classic.memory.modern_hopfield": ("ModernHopfieldNetwork",),
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
