"""Readers for text tables."""
