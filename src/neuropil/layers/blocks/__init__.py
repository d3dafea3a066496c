"""Blocks: what the classic architectures are made of."""
