"""Competitive networks: units that compete for the inputs, and learn what they win."""
