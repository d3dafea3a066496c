"""Callbacks that write the figures of a training to files."""
