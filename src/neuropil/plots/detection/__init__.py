"""Plots of detectors: boxes on pictures, and precision–recall curves."""
