"""Activation layers, with or without an affine map."""
