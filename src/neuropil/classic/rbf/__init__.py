"""Radial windows over data: regression and classification without training."""

from neuropil.classic.rbf.grnn import GRNN
from neuropil.classic.rbf.pnn import PNN

__all__ = ["GRNN", "PNN"]
