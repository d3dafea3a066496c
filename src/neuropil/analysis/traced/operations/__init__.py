"""PyTorch operations: names, shapes, and multiply–adds."""
