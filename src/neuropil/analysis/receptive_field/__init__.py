"""Receptive fields, theoretical and effective."""
