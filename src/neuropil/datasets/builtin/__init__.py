"""Bundled and generated datasets, which need no file."""
