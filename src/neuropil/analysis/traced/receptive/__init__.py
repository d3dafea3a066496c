"""Receptive fields of any PyTorch module, propagated operation by operation."""
