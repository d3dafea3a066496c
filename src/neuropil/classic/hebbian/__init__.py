"""Associative networks: rules that strengthen connections between what occurs together."""
