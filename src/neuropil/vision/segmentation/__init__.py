"""Segmentation: a class for each pixel of a picture."""
