"""Plots of landmarks: points on pictures, and their errors."""
