"""Export of the network of a run for programs without this library."""
