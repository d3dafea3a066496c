"""Layers that combine inputs, positions, channels or experts."""
