"""Boltzmann machines: models of an energy of visible and hidden units."""
