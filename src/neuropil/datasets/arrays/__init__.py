"""Readers for array files."""
