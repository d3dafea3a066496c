"""Blocks of the classic architectures."""
