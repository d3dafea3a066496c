"""Boltzmann machines: energies of visible and hidden units, learnt from data."""

from neuropil.classic.boltzmann.deep_belief import DeepBeliefNetwork
from neuropil.classic.boltzmann.rbm import RBM

__all__ = ["RBM", "DeepBeliefNetwork"]
