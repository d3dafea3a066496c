"""Activations, with or without units."""
