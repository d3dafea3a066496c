"""Associative networks: rules by which connections strengthen what occurs together."""
