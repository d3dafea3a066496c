"""The table of a network's layers."""
