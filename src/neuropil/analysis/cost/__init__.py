"""Multiply–adds, parameters and memory of a network."""
