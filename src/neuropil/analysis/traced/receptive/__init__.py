"""Receptive fields of any module, operation by operation."""
