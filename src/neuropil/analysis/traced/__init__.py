"""Anyone's PyTorch module: every operation of a run without numbers, seen from below."""
