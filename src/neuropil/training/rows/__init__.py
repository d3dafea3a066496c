"""Rows and batches of any kind: which of their parts are inputs, and which is the target."""
