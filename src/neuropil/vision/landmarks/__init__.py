"""Landmark detection: named points in a picture, such as the corners of the eyes of a face."""
