"""Boltzmann machines: energies of visible and hidden units, learnt from data."""

from neuropil.algorithms.boltzmann.deep_belief import DeepBeliefNetwork
from neuropil.algorithms.boltzmann.rbm import RBM

__all__ = ["RBM", "DeepBeliefNetwork"]
