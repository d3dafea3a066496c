"""Associative memories: Hopfield networks, BAM and CMAC."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.classic.memory.capacity import CapacityCurve as CapacityCurve
    from neuropil.classic.memory.capacity import theoretical_overlap as theoretical_overlap
    from neuropil.classic.memory.hopfield_recall import RecallPath as RecallPath

load_on_use(__name__, __file__)
