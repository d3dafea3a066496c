"""Plots of verification: errors at every threshold, and the distances of pairs."""
