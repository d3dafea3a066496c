"""Setups of runs: rewritten networks, changed data, and weights that variants share."""
