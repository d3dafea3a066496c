"""Plots of the answers of a classification."""
