"""The table of the layers of a network."""
