"""Checkpoints: written, read and compared."""
