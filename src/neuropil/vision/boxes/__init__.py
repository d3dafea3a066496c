"""Boxes: forms, overlap, suppression and anchors."""
