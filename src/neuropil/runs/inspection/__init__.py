"""Inspection before a training: facts on the data, and a self-check of the network."""
