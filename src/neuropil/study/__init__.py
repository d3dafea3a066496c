"""Studies: which changes of a training help on given data, and by how much."""
