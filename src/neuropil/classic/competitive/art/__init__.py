"""Adaptive resonance theory."""
