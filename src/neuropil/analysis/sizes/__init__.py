"""Sizes of input, filter and padding that fit each other."""
