"""Regions of pictures that may hold things: segmentation by a graph, and selective search."""
