"""Faces: verification, recognition, and a gallery of people."""
