"""Detectors: networks that give the boxes of what is in a picture."""
