"""Boltzmann machines: energies of visible and hidden units, learnt from data."""
