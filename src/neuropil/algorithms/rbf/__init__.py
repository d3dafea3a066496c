"""Radial windows over data: regression and classification without training."""

from neuropil.algorithms.rbf.grnn import GRNN
from neuropil.algorithms.rbf.pnn import PNN

__all__ = ["GRNN", "PNN"]
