"""Radial windows over data: regression and classification without training."""
