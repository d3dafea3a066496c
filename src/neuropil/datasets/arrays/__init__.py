"""Data in array files."""
