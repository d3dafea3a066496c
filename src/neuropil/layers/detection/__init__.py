"""Layers of detectors: pictures and features on a grid of cells, and the boxes of each cell."""
